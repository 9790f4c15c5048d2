/** What `list` and `status` say on a machine where no set is at work; sets that are not served are on devices. */
export const NONE_SERVED =
  'dmremap: no set is served on this machine; "dmremap scan" finds those on devices\n';
