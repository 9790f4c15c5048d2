/** Whoever started this process as a service and wants to hear how it is (systemd, Type=notify). */
export interface ServiceManager {
  /**
   * VARIABLE=VALUE lines of sd_notify(3). Resolves with one line that says why it could not be told; undefined when it
   * was told, or when there is nobody to tell.
   */
  tell(...variables: string[]): Promise<string | undefined>;
  /** Where the service keeps what outlives it (StateDirectory= of its unit). */
  readonly stateDirectory?: string | undefined;
}

/** Nobody, unless `environment` names a socket. */
export function serviceManagerOf(environment: NodeJS.ProcessEnv): ServiceManager {
  const socketName = environment.NOTIFY_SOCKET ?? '';
  // systemd separates several by colons.
  const stateDirectory = environment.STATE_DIRECTORY?.split(':')[0] || undefined;
  if (socketName === '') return { tell: async () => undefined, stateDirectory };
  return {
    stateDirectory,
    async tell(...variables) {
      // Loaded when needed, as the library is: other commands don't wait for system call bindings.
      const { notifyServiceManager } = await import('../kernel/service-notification.js');
      const told = notifyServiceManager(socketName, variables);
      return told.ok ? undefined : `the service manager at ${socketName} was not told: ${told.error.reason}`;
    },
  };
}
