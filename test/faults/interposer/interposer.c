/*
 * A library for LD_PRELOAD that stands between a program and the C library. It writes down which
 * files the program opens, creates, renames or removes and what it connects to, and it lets the
 * program fail, or die, at the n-th operation on the files of one folder.
 *
 * INTERPOSER_TRACE   file that gets a line for each operation: number, process, operation, target,
 *                    separated by tabs. The number counts the operations that may fail, from 1 in
 *                    each process; 0 is an operation that is only told. Operations: open (for
 *                    writing), write, fsync, mkdir, rename (and before it: from), link, unlink,
 *                    rmdir, truncate, chmod, chown, utime, read; connect, bind, send, lookup.
 * INTERPOSER_READS   if set, files and folders that are opened for reading are told as well
 * INTERPOSER_FOLDER  real path of the folder whose operations are counted
 * INTERPOSER_PROGRAM only processes with this word in their command line count them (default: all)
 * INTERPOSER_FAULT   what happens at operation INTERPOSER_AT, and if INTERPOSER_LASTING is set at
 *                    every later one: "kill" before it is done, "EIO", "ENOSPC", "EROFS", "short" and
 *                    "short-kill" (half is written). ENOSPC counts only what needs room, the two
 *                    short ones only writes, the others everything.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/uio.h>
#include <unistd.h>

/* What an operation does, which decides the faults that it can meet. */
enum need { TOLD, CHANGE, ROOM, SYNC, WRITE };
enum act { PASS, FAIL, HALF, HALF_THEN_DIE };

static const char *folder, *fault;
static long at;
static int is_lasting, tells_reads, trace = -1;
static atomic_long count;

/* The function of the same name that the program would have called. */
#define REAL(name) \
  static __typeof__(name) *real; \
  if (real == NULL) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

/* Whether the command line of this process has a word in it. */
static int is_program(const char *word) {
  char line[4096];
  FILE *file = ((__typeof__(fopen) *)dlsym(RTLD_NEXT, "fopen"))("/proc/self/cmdline", "r");
  if (file == NULL) return 0;
  size_t length = fread(line, 1, sizeof line, file);
  fclose(file);
  return memmem(line, length, word, strlen(word)) != NULL;
}

__attribute__((constructor)) static void start(void) {
  const char *file = getenv("INTERPOSER_TRACE"), *number = getenv("INTERPOSER_AT");
  const char *program = getenv("INTERPOSER_PROGRAM");
  if (program == NULL || is_program(program)) folder = getenv("INTERPOSER_FOLDER");
  fault = getenv("INTERPOSER_FAULT");
  at = number == NULL ? 0 : atol(number);
  is_lasting = getenv("INTERPOSER_LASTING") != NULL;
  tells_reads = getenv("INTERPOSER_READS") != NULL;
  if (file == NULL) return;
  __typeof__(open) *real_open = (__typeof__(open) *)dlsym(RTLD_NEXT, "open");
  int low = real_open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  /* Out of the way of programs that count their descriptors. */
  trace = fcntl(low, F_DUPFD_CLOEXEC, 500);
  close(low);
}

static void tell(long number, const char *operation, const char *target) {
  if (trace < 0) return;
  REAL(write);
  char line[PATH_MAX + 100];
  int length = snprintf(line, sizeof line, "%ld\t%d\t%s\t%s\n", number, getpid(), operation, target);
  if (real(trace, line, length) != length) abort();
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

static int is_counted(enum need need, const char *path) {
  if (folder == NULL || fault == NULL || need == TOLD) return 0;
  size_t length = strlen(folder);
  if (strncmp(path, folder, length) != 0 || (path[length] != '/' && path[length] != 0)) return 0;
  if (strncmp(fault, "short", 5) == 0) return need == WRITE;
  return strcmp(fault, "ENOSPC") != 0 || need >= ROOM;
}

/* Tells of an operation that is about to be done, and says what is to become of it. */
static enum act meet(const char *operation, enum need need, const char *path) {
  long number = is_counted(need, path) ? ++count : 0;
  if (need < SYNC || number > 0) tell(number, operation, path);
  if (number == 0 || at == 0 || (is_lasting ? number < at : number != at)) return PASS;
  if (strcmp(fault, "kill") == 0) die();
  if (strcmp(fault, "short") == 0) return HALF;
  if (strcmp(fault, "short-kill") == 0) return HALF_THEN_DIE;
  errno = strcmp(fault, "ENOSPC") == 0 ? ENOSPC : strcmp(fault, "EROFS") == 0 ? EROFS : EIO;
  return FAIL;
}

/* The real path of a name, whose own last part is followed only if the operation follows links. */
static const char *place(int base, const char *name, int follows, char *path) {
  char whole[2 * PATH_MAX + 1], parent[PATH_MAX], link[64];
  if (name[0] != '/' && base != AT_FDCWD) {
    snprintf(link, sizeof link, "/proc/self/fd/%d", base);
    ssize_t length = readlink(link, parent, sizeof parent - 1);
    parent[length < 0 ? 0 : length] = 0;
    snprintf(whole, sizeof whole, "%s/%s", parent, name);
  } else {
    snprintf(whole, sizeof whole, "%s", name);
  }
  if (follows && realpath(whole, path) != NULL) return path;
  size_t end = strlen(whole);
  while (end > 1 && whole[end - 1] == '/') whole[--end] = 0;
  char *slash = strrchr(whole, '/'), *last = slash == NULL ? whole : slash + 1;
  if (slash > whole) *slash = 0;
  const char *above = slash == NULL ? "." : slash == whole ? "/" : whole;
  /* Where the folder does not exist, the operation fails and its name is as good as any. */
  const char *real_above = realpath(above, parent) == NULL ? above : parent;
  const char *joint = real_above[1] == 0 && real_above[0] == '/' ? "" : "/";
  if (snprintf(path, PATH_MAX, "%s%s%s", real_above, joint, last) >= PATH_MAX) abort();
  return path;
}

static const char *place_of(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  path[length < 0 ? 0 : length] = 0;
  return path;
}

/* Does `call`, or what the fault makes of it. */
#define DO(operation, need, path, failure, call) \
  char buffer[PATH_MAX]; \
  int before = errno; \
  enum act act = meet(operation, need, path); \
  if (act == FAIL) return failure; \
  errno = before; \
  return call

#define BY_NAME(operation, need, base, name, follows, call) \
  DO(operation, need, place(base, name, follows, buffer), -1, call)
#define BY_FD(operation, need, fd, call) DO(operation, need, place_of(fd, buffer), -1, call)

/* Two paths count as one operation; that from where is told first. */
#define FROM(base, name) \
  do { \
    char other[PATH_MAX]; \
    tell(0, "from", place(base, name, 0, other)); \
  } while (0)

static int opens(int flags) { return (flags & (O_ACCMODE | O_CREAT | O_TRUNC)) != 0; }

#define OPEN(base, name, flags, call) \
  if (!opens(flags) && !tells_reads) return call; \
  DO(opens(flags) ? "open" : "read", opens(flags) ? ROOM : TOLD, \
     place(base, name, !((flags) & O_NOFOLLOW), buffer), -1, call)

#define MODE(flags) \
  va_list list; \
  va_start(list, flags); \
  mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0; \
  va_end(list)

int open(const char *name, int flags, ...) {
  MODE(flags);
  REAL(open);
  OPEN(AT_FDCWD, name, flags, real(name, flags, mode));
}
int open64(const char *name, int flags, ...) {
  MODE(flags);
  REAL(open64);
  OPEN(AT_FDCWD, name, flags, real(name, flags, mode));
}
int openat(int base, const char *name, int flags, ...) {
  MODE(flags);
  REAL(openat);
  OPEN(base, name, flags, real(base, name, flags, mode));
}
int openat64(int base, const char *name, int flags, ...) {
  MODE(flags);
  REAL(openat64);
  OPEN(base, name, flags, real(base, name, flags, mode));
}
int creat64(const char *name, mode_t mode) {
  REAL(creat64);
  OPEN(AT_FDCWD, name, O_WRONLY | O_CREAT, real(name, mode));
}

#define FOPEN(name, mode, call) \
  int writes = strpbrk(mode, "wa+") != NULL; \
  if (!writes && !tells_reads) return call; \
  DO(writes ? "open" : "read", writes ? ROOM : TOLD, place(AT_FDCWD, name, 1, buffer), NULL, \
     call)

FILE *fopen(const char *name, const char *mode) { REAL(fopen); FOPEN(name, mode, real(name, mode)); }
FILE *fopen64(const char *name, const char *mode) { REAL(fopen64); FOPEN(name, mode, real(name, mode)); }
DIR *opendir(const char *name) {
  REAL(opendir);
  if (!tells_reads) return real(name);
  DO("read", TOLD, place(AT_FDCWD, name, 1, buffer), NULL, real(name));
}
int scandir64(const char *name, struct dirent64 ***list, int (*filter)(const struct dirent64 *),
              int (*compare)(const struct dirent64 **, const struct dirent64 **)) {
  REAL(scandir64);
  if (!tells_reads) return real(name, list, filter, compare);
  DO("read", TOLD, place(AT_FDCWD, name, 1, buffer), -1, real(name, list, filter, compare));
}

int mkstemp64(char *name) { REAL(mkstemp64); BY_NAME("open", ROOM, AT_FDCWD, name, 0, real(name)); }
char *mkdtemp(char *name) {
  REAL(mkdtemp);
  DO("mkdir", ROOM, place(AT_FDCWD, name, 0, buffer), NULL, real(name));
}
int mkdir(const char *name, mode_t mode) {
  REAL(mkdir);
  BY_NAME("mkdir", ROOM, AT_FDCWD, name, 0, real(name, mode));
}
int rmdir(const char *name) { REAL(rmdir); BY_NAME("rmdir", CHANGE, AT_FDCWD, name, 0, real(name)); }
int unlink(const char *name) { REAL(unlink); BY_NAME("unlink", CHANGE, AT_FDCWD, name, 0, real(name)); }
int unlinkat(int base, const char *name, int flags) {
  REAL(unlinkat);
  BY_NAME("unlink", CHANGE, base, name, 0, real(base, name, flags));
}
int remove(const char *name) { REAL(remove); BY_NAME("unlink", CHANGE, AT_FDCWD, name, 0, real(name)); }
int truncate64(const char *name, off64_t size) {
  REAL(truncate64);
  BY_NAME("truncate", CHANGE, AT_FDCWD, name, 1, real(name, size));
}
int chmod(const char *name, mode_t mode) {
  REAL(chmod);
  BY_NAME("chmod", CHANGE, AT_FDCWD, name, 1, real(name, mode));
}
int chown(const char *name, uid_t user, gid_t group) {
  REAL(chown);
  BY_NAME("chown", CHANGE, AT_FDCWD, name, 1, real(name, user, group));
}
int utimensat(int base, const char *name, const struct timespec times[2], int flags) {
  REAL(utimensat);
  BY_NAME("utime", CHANGE, base, name, 1, real(base, name, times, flags));
}
int rename(const char *old, const char *name) {
  REAL(rename);
  FROM(AT_FDCWD, old);
  BY_NAME("rename", ROOM, AT_FDCWD, name, 0, real(old, name));
}
int renameat(int from, const char *old, int base, const char *name) {
  REAL(renameat);
  FROM(from, old);
  BY_NAME("rename", ROOM, base, name, 0, real(from, old, base, name));
}
int link(const char *old, const char *name) {
  REAL(link);
  FROM(AT_FDCWD, old);
  BY_NAME("link", ROOM, AT_FDCWD, name, 0, real(old, name));
}
int linkat(int from, const char *old, int base, const char *name, int flags) {
  REAL(linkat);
  FROM(from, old);
  BY_NAME("link", ROOM, base, name, 0, real(from, old, base, name, flags));
}
int symlink(const char *old, const char *name) {
  REAL(symlink);
  BY_NAME("link", ROOM, AT_FDCWD, name, 0, real(old, name));
}

int fsync(int fd) { REAL(fsync); BY_FD("fsync", SYNC, fd, real(fd)); }
int fdatasync(int fd) { REAL(fdatasync); BY_FD("fsync", SYNC, fd, real(fd)); }
int ftruncate64(int fd, off64_t size) { REAL(ftruncate64); BY_FD("truncate", CHANGE, fd, real(fd, size)); }
int fchmod(int fd, mode_t mode) { REAL(fchmod); BY_FD("chmod", CHANGE, fd, real(fd, mode)); }

/* Writes of `size` bytes, of which a fault may do only the first half; one byte has no half. */
#define WRITES(fd, size, whole, half) \
  char buffer[PATH_MAX]; \
  int before = errno; \
  enum act act = folder == NULL ? PASS : meet("write", WRITE, place_of(fd, buffer)); \
  if (act == FAIL) return -1; \
  errno = before; \
  ssize_t result = (act == HALF || act == HALF_THEN_DIE) && (size) > 1 ? half : whole; \
  if (act == HALF_THEN_DIE) die(); \
  return result

/* Of several pieces half a write is the first piece, or half of it where there is one. */
static struct iovec first_of(const struct iovec *pieces, int number) {
  return (struct iovec){pieces[0].iov_base, number > 1 ? pieces[0].iov_len : pieces[0].iov_len / 2};
}
static size_t pieces_size(const struct iovec *pieces, int number) {
  return number > 1 ? 2 : pieces[0].iov_len;
}

ssize_t write(int fd, const void *data, size_t size) {
  REAL(write);
  WRITES(fd, size, real(fd, data, size), real(fd, data, size / 2));
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t where) {
  REAL(pwrite64);
  WRITES(fd, size, real(fd, data, size, where), real(fd, data, size / 2, where));
}
ssize_t writev(int fd, const struct iovec *pieces, int number) {
  REAL(writev);
  struct iovec first = first_of(pieces, number);
  WRITES(fd, pieces_size(pieces, number), real(fd, pieces, number), real(fd, &first, 1));
}
ssize_t pwritev64(int fd, const struct iovec *pieces, int number, off64_t where) {
  REAL(pwritev64);
  struct iovec first = first_of(pieces, number);
  WRITES(fd, pieces_size(pieces, number), real(fd, pieces, number, where), real(fd, &first, 1, where));
}

/* Where a socket leads: unix:PATH, inet:ADDRESS, or the number of another family of addresses. */
static void tell_address(const char *operation, const struct sockaddr *address) {
  char target[PATH_MAX], text[INET6_ADDRSTRLEN] = "";
  if (address == NULL) return;
  if (address->sa_family == AF_UNIX) {
    const char *path = ((const struct sockaddr_un *)address)->sun_path;
    int is_abstract = path[0] == 0;
    snprintf(target, sizeof target, "unix:%s%.107s", is_abstract ? "@" : "", path + is_abstract);
  } else if (address->sa_family == AF_INET || address->sa_family == AF_INET6) {
    const void *bytes = address->sa_family == AF_INET
                            ? (const void *)&((const struct sockaddr_in *)address)->sin_addr
                            : (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr;
    inet_ntop(address->sa_family, bytes, text, sizeof text);
    snprintf(target, sizeof target, "inet:%s", text);
  } else {
    snprintf(target, sizeof target, "family:%d", address->sa_family);
  }
  tell(0, operation, target);
}

int connect(int fd, const struct sockaddr *address, socklen_t size) {
  REAL(connect);
  tell_address("connect", address);
  return real(fd, address, size);
}
int bind(int fd, const struct sockaddr *address, socklen_t size) {
  REAL(bind);
  tell_address("bind", address);
  return real(fd, address, size);
}
ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *address,
               socklen_t length) {
  REAL(sendto);
  tell_address("send", address);
  return real(fd, data, size, flags, address, length);
}
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  REAL(sendmsg);
  tell_address("send", message->msg_name);
  return real(fd, message, flags);
}
int sendmmsg(int fd, struct mmsghdr *messages, unsigned number, int flags) {
  REAL(sendmmsg);
  for (unsigned i = 0; i < number; i++) tell_address("send", messages[i].msg_hdr.msg_name);
  return real(fd, messages, number, flags);
}
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
  REAL(getaddrinfo);
  tell(0, "lookup", host == NULL ? "" : host);
  return real(host, service, hints, found);
}
struct hostent *gethostbyname(const char *host) {
  REAL(gethostbyname);
  tell(0, "lookup", host);
  return real(host);
}
