/*
 * The peer of `npm run bench -- ublk`: a ublk block device over one file or disk, in C, and nothing else. It stands in
 * for the loop target of the C++ server of the driver's authors (ublksrv) and does what that does: one queue of depth
 * 128 on a thread of its own, requests up to 512 KiB, FETCH_REQ -> one READ or WRITE with O_DIRECT on the same ring ->
 * COMMIT_AND_FETCH_REQ, registered files and ring, one io_uring_enter to submit and to wait. Where the driver registers
 * the clients' buffers by itself (Linux 6.16), it uses them (zero copy).
 *
 *   ublk-peer PATH     prints "ready /dev/ublkbN", serves until SIGTERM
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/ublk_cmd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than the headers of Debian 12. */
#define CONTROL_ADD_DEV 0xc0207504u
#define CONTROL_DEL_DEV 0xc0207505u
#define CONTROL_START_DEV 0xc0207506u
#define CONTROL_STOP_DEV 0xc0207507u
#define CONTROL_SET_PARAMS 0xc0207508u
#define CONTROL_GET_FEATURES 0x80207513u
#define IO_FETCH 0xc0107520u
#define IO_COMMIT_AND_FETCH 0xc0107521u
#define F_SUPPORT_ZERO_COPY 0x1ull
#define F_AUTO_BUF_REG 0x800ull

enum { DEPTH = 128, IO_BYTES = 512 << 10, FILE_BACKING = 0, FILE_CHAR = 1 };

struct ring {
  int fd, enter_fd;
  unsigned enter_flags, entry_bytes, sq_mask, cq_mask, sq_next;
  _Atomic unsigned *sq_tail, *cq_head, *cq_tail;
  char *entries;
  struct io_uring_cqe *completions;
};

static struct ring control, queue;
static int control_fd, char_fd, backing_fd, zero_copy;
static struct ublksrv_io_desc *descriptions;
static char *buffers;

static void fail(const char *what) {
  fprintf(stderr, "ublk-peer: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void *map(size_t bytes, int protection, int flags, int fd, off_t offset) {
  void *address = mmap(NULL, bytes, protection, flags, fd, offset);
  if (address == MAP_FAILED) fail("mmap");
  return address;
}

static int ring_register(struct ring *ring, unsigned opcode, void *argument, unsigned count) {
  return syscall(SYS_io_uring_register, ring->fd, opcode, argument, count);
}

static void open_ring(struct ring *ring, unsigned entries, unsigned flags) {
  struct io_uring_params p = { .flags = flags };
  ring->fd = ring->enter_fd = syscall(SYS_io_uring_setup, entries, &p);
  if (ring->fd < 0) fail("io_uring_setup");
  size_t sq_bytes = p.sq_off.array + p.sq_entries * sizeof(unsigned);
  size_t cq_bytes = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
  ring->entry_bytes = flags & IORING_SETUP_SQE128 ? 128 : 64;
  int shared = MAP_SHARED | MAP_POPULATE, rw = PROT_READ | PROT_WRITE;
  char *rings = map(sq_bytes > cq_bytes ? sq_bytes : cq_bytes, rw, shared, ring->fd, IORING_OFF_SQ_RING);
  ring->entries = map(p.sq_entries * ring->entry_bytes, rw, shared, ring->fd, IORING_OFF_SQES);
  ring->sq_mask = p.sq_entries - 1;
  ring->cq_mask = p.cq_entries - 1;
  ring->sq_tail = (void *)(rings + p.sq_off.tail);
  ring->cq_head = (void *)(rings + p.cq_off.head);
  ring->cq_tail = (void *)(rings + p.cq_off.tail);
  ring->completions = (void *)(rings + p.cq_off.cqes);
  unsigned *indexes = (void *)(rings + p.sq_off.array);
  for (unsigned i = 0; i < p.sq_entries; i++) indexes[i] = i;
}

static struct io_uring_sqe *next_entry(struct ring *ring) {
  void *entry = ring->entries + (ring->sq_next++ & ring->sq_mask) * ring->entry_bytes;
  return memset(entry, 0, ring->entry_bytes);
}

/* Hands over what was queued, and waits for one completion. */
static void submit_and_wait(struct ring *ring) {
  unsigned count = ring->sq_next - *ring->sq_tail;
  *ring->sq_tail = ring->sq_next;
  unsigned flags = IORING_ENTER_GETEVENTS | ring->enter_flags;
  if (syscall(SYS_io_uring_enter, ring->enter_fd, count, 1, flags, NULL, 0) < 0 && errno != EINTR)
    fail("io_uring_enter");
}

static int command(unsigned operation, unsigned device, void *payload, unsigned length, __u64 data) {
  struct io_uring_sqe *entry = next_entry(&control);
  entry->opcode = IORING_OP_URING_CMD;
  entry->fd = control_fd;
  entry->cmd_op = operation;
  struct ublksrv_ctrl_cmd *cmd = (void *)entry->cmd;
  *cmd = (struct ublksrv_ctrl_cmd){ .dev_id = device, .queue_id = 0xffff, .len = length,
                                    .addr = (__u64)payload, .data = { data } };
  do submit_and_wait(&control); while (*control.cq_head == *control.cq_tail);
  int result = control.completions[*control.cq_head & control.cq_mask].res;
  *control.cq_head += 1;
  return result;
}

static void must(int result, const char *what) {
  errno = -result;
  if (result < 0) fail(what);
}

static void queue_command(unsigned operation, unsigned tag, int result) {
  struct io_uring_sqe *entry = next_entry(&queue);
  entry->opcode = IORING_OP_URING_CMD;
  entry->flags = IOSQE_FIXED_FILE;
  entry->fd = FILE_CHAR;
  entry->cmd_op = operation;
  entry->addr = zero_copy ? tag : 0;
  entry->user_data = tag;
  struct ublksrv_io_cmd *cmd = (void *)entry->cmd;
  *cmd = (struct ublksrv_io_cmd){ .tag = tag, .result = result,
                                  .addr = zero_copy ? 0 : (__u64)(buffers + (size_t)tag * IO_BYTES) };
}

static void begin(unsigned tag) {
  const struct ublksrv_io_desc *description = &descriptions[tag];
  unsigned operation = ublksrv_get_op(description);
  if (operation > UBLK_IO_OP_WRITE) return queue_command(IO_COMMIT_AND_FETCH, tag, -EOPNOTSUPP);
  int is_read = operation == UBLK_IO_OP_READ;
  struct io_uring_sqe *entry = next_entry(&queue);
  entry->opcode = zero_copy ? (is_read ? IORING_OP_READ_FIXED : IORING_OP_WRITE_FIXED)
                            : (is_read ? IORING_OP_READ : IORING_OP_WRITE);
  entry->flags = IOSQE_FIXED_FILE;
  entry->fd = FILE_BACKING;
  entry->addr = zero_copy ? 0 : (__u64)(buffers + (size_t)tag * IO_BYTES);
  entry->buf_index = zero_copy ? tag : 0;
  entry->len = description->nr_sectors << 9;
  entry->off = description->start_sector << 9;
  entry->user_data = tag | 1u << 16;
}

static void open_queue(void) {
  open_ring(&queue, 2 * DEPTH, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
  int files[2] = { backing_fd, char_fd };
  if (ring_register(&queue, IORING_REGISTER_FILES, files, 2) < 0) fail("registering files");
  struct io_uring_rsrc_update self = { .offset = -1u, .data = queue.fd };
  if (ring_register(&queue, IORING_REGISTER_RING_FDS, &self, 1) != 1) fail("registering the ring");
  queue.enter_fd = self.offset;
  queue.enter_flags = IORING_ENTER_REGISTERED_RING;
  struct io_uring_rsrc_register table = { .nr = DEPTH, .flags = IORING_RSRC_REGISTER_SPARSE };
  if (zero_copy && ring_register(&queue, IORING_REGISTER_BUFFERS2, &table, sizeof table) < 0)
    fail("registering buffers");
}

static void *serve(void *unused) {
  open_queue();
  for (unsigned tag = 0; tag < DEPTH; tag++) queue_command(IO_FETCH, tag, 0);
  for (unsigned ended = 0; ended < DEPTH;) {
    submit_and_wait(&queue);
    unsigned head = *queue.cq_head;
    for (unsigned tail = *queue.cq_tail; head != tail; head++) {
      struct io_uring_cqe *completion = &queue.completions[head & queue.cq_mask];
      unsigned tag = completion->user_data & 0xffff;
      if (completion->user_data >> 16) queue_command(IO_COMMIT_AND_FETCH, tag, completion->res);
      else if (completion->res == 0) begin(tag);
      else if (completion->res == -ENODEV) ended++;
      else must(completion->res, "a command of the queue");
    }
    *queue.cq_head = head;
  }
  /* The driver waits for whoever has its file open, and the rings are still mapped. */
  if (ring_register(&queue, IORING_UNREGISTER_FILES, NULL, 0) < 0) fail("unregistering files");
  return unused;
}

static unsigned add_device(const char *path) {
  __u64 features = 0, bytes = 0;
  if (command(CONTROL_GET_FEATURES, -1u, &features, sizeof features, 0) == 0)
    zero_copy = (features & F_SUPPORT_ZERO_COPY) && (features & F_AUTO_BUF_REG);
  backing_fd = open(path, O_RDWR | O_DIRECT);
  if (backing_fd < 0 || ioctl(backing_fd, BLKGETSIZE64, &bytes) < 0) fail(path);
  struct ublksrv_ctrl_dev_info info = { .nr_hw_queues = 1, .queue_depth = DEPTH, .max_io_buf_bytes = IO_BYTES,
                                        .dev_id = -1u, .ublksrv_pid = -1,
                                        .flags = zero_copy ? F_SUPPORT_ZERO_COPY | F_AUTO_BUF_REG : 0 };
  must(command(CONTROL_ADD_DEV, -1u, &info, sizeof info, 0), "adding a device");
  struct ublk_params params = { .len = sizeof params, .types = UBLK_PARAM_TYPE_BASIC,
                                .basic = { .logical_bs_shift = 9, .physical_bs_shift = 12, .io_opt_shift = 12,
                                           .io_min_shift = 9, .max_sectors = IO_BYTES >> 9,
                                           .dev_sectors = bytes >> 9 } };
  must(command(CONTROL_SET_PARAMS, info.dev_id, &params, sizeof params, 0), "setting its parameters");
  return info.dev_id;
}

int main(int argc, char **argv) {
  if (argc != 2) return fprintf(stderr, "usage: ublk-peer PATH\n"), 2;
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, NULL);
  open_ring(&control, 4, IORING_SETUP_SQE128);
  control_fd = open("/dev/ublk-control", O_RDWR);
  if (control_fd < 0) fail("/dev/ublk-control");
  unsigned id = add_device(argv[1]);
  char char_path[32];
  snprintf(char_path, sizeof char_path, "/dev/ublkc%u", id);
  while ((char_fd = open(char_path, O_RDWR)) < 0) usleep(1000);
  size_t description_bytes = (DEPTH * sizeof *descriptions + 4095) & ~4095ul;
  descriptions = map(description_bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, char_fd, 0);
  buffers = map((size_t)DEPTH * IO_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  pthread_t thread;
  if (pthread_create(&thread, NULL, serve, NULL) != 0) fail("pthread_create");
  must(command(CONTROL_START_DEV, id, NULL, 0, getpid()), "starting the device");
  printf("ready /dev/ublkb%u\n", id);
  fflush(stdout);
  int signal_number;
  sigwait(&ends, &signal_number);
  must(command(CONTROL_STOP_DEV, id, NULL, 0, 0), "stopping the device");
  pthread_join(thread, NULL);
  munmap(descriptions, description_bytes);
  close(char_fd);
  must(command(CONTROL_DEL_DEV, id, NULL, 0, 0), "deleting the device");
  return 0;
}
