/* Records what a program does to the files under one directory, so that a power cut can be played afterwards.
 *
 * Loaded with LD_PRELOAD. KIEZ_SHIM_DIR is the directory (a real path, without symbolic links), KIEZ_SHIM_LOG the
 * record. Every call goes through to the system as it is; after it, one record is appended. What was durable at any point
 * of the record is worked out by tests/src/lossy_disk/model.rs, not here.
 *
 * A file is known by its descriptor (fstat and /proc/self/fd), so that dup and inheritance need no care.
 * Not seen: stdio of the C library, io_uring, writes through a shared mapping. The model compares its files with the real
 * ones, so a program that goes past this is noticed; mappings are recorded and exempt ("-shm" of SQLite).
 *
 * A record: op (1 byte), inode (8), number (8), length of two texts (4, 4), the texts; little-endian.
 *   i  intent: the next call of this process begins   c  create: path             w  write: number = offset, data
 *   t  new size: number                               s  fsync of a file          d  fsync of a directory: path
 *   r  rename: path, path                             u  unlink: path             m  mkdir: path
 *   x  rmdir: path                                    M  shared mapping           A  said on stdout: data
 *   e  the call begun by "i" is over
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *root;
static size_t root_length;
static int record_fd = -1;

static void die(const char *why) {
    static const char prefix[] = "lossy disk shim: ";
    if (syscall(SYS_write, 2, prefix, sizeof prefix - 1) < 0 || syscall(SYS_write, 2, why, strlen(why)) < 0) {}
    abort();
}

__attribute__((constructor)) static void start(void) {
    const char *path = getenv("KIEZ_SHIM_LOG");
    root = getenv("KIEZ_SHIM_DIR");
    if (!root || !path) { root = NULL; return; }
    root_length = strlen(root);
    record_fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
    if (record_fd < 0) die("the record cannot be opened\n");
}

/* The path below the root ("" is the root itself), or NULL. */
static const char *below(const char *path) {
    if (!root || strncmp(path, root, root_length) != 0) return NULL;
    if (path[root_length] == '\0') return path + root_length;
    return path[root_length] == '/' ? path + root_length + 1 : NULL;
}

static void record(char op, uint64_t inode, uint64_t number, const void *one, size_t one_length,
                   const void *two, size_t two_length) {
    unsigned char head[25];
    uint32_t lengths[2] = {(uint32_t)one_length, (uint32_t)two_length};
    head[0] = (unsigned char)op;
    memcpy(head + 1, &inode, 8);
    memcpy(head + 9, &number, 8);
    memcpy(head + 17, lengths, 8);
    struct iovec parts[3] = {{head, sizeof head}, {(void *)one, one_length}, {(void *)two, two_length}};
    long whole = (long)(sizeof head + one_length + two_length);
    if (syscall(SYS_writev, record_fd, parts, 3) != whole) die("the record cannot be written\n");
}

static void text(char op, uint64_t inode, const char *path) { record(op, inode, 0, path, strlen(path), NULL, 0); }

struct seen { int file, directory; uint64_t inode; off_t size; char path[PATH_MAX]; const char *name; };

/* What a descriptor is; false when it is none of ours. Keeps errno. */
static int look(int fd, struct seen *seen) {
    struct stat status;
    char link[64];
    int kept = errno, ours = 0;
    if (root && fd != record_fd && syscall(SYS_newfstatat, fd, "", &status, AT_EMPTY_PATH) == 0
        && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode))) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(link, seen->path, sizeof seen->path - 1);
        if (length > 0) {
            seen->path[length] = '\0';
            seen->name = below(seen->path);
            seen->file = S_ISREG(status.st_mode);
            seen->directory = S_ISDIR(status.st_mode);
            seen->inode = status.st_ino;
            seen->size = status.st_size;
            ours = seen->name != NULL;
        }
    }
    errno = kept;
    return ours;
}

/* The path below the root that a name means, whether it exists or not. Keeps errno. */
static const char *resolve(int directory, const char *path, char *whole) {
    char joined[PATH_MAX], folder[PATH_MAX], link[64];
    int kept = errno;
    const char *found = NULL;
    if (!root || !path) return NULL;
    if (path[0] == '/') {
        snprintf(joined, sizeof joined, "%s", path);
    } else if (directory == AT_FDCWD) {
        snprintf(joined, sizeof joined, "./%s", path);
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
        snprintf(joined, sizeof joined, "%s/%s", link, path);
    }
    size_t length = strlen(joined);
    while (length > 1 && joined[length - 1] == '/') joined[--length] = '\0';
    char *slash = strrchr(joined, '/');
    if (slash) {
        char name[NAME_MAX + 1];
        snprintf(name, sizeof name, "%s", slash + 1);
        slash[slash == joined] = '\0';
        if (realpath(joined, folder)) {
            int printed = snprintf(whole, PATH_MAX, "%s/%s", strcmp(folder, "/") ? folder : "", name);
            if (printed < PATH_MAX) found = below(whole);
        }
    }
    errno = kept;
    return found;
}

static void begin(void) { pthread_mutex_lock(&lock); record('i', (uint64_t)getpid(), 0, NULL, 0, NULL, 0); }
static void end(void) { pthread_mutex_unlock(&lock); }
static void settled(void) { record('e', (uint64_t)getpid(), 0, NULL, 0, NULL, 0); }

/* --- names ------------------------------------------------------------------------------------------------------- */

static int opened(int directory, const char *path, int flags, mode_t mode) {
    char whole[PATH_MAX];
    struct stat status;
    struct seen seen;
    const char *name = (flags & (O_CREAT | O_TRUNC)) ? resolve(directory, path, whole) : NULL;
    if (!name) return (int)syscall(SYS_openat, directory, path, flags, mode);
    if ((flags & O_TMPFILE) == O_TMPFILE) { errno = EOPNOTSUPP; return -1; }
    begin();
    int was = syscall(SYS_newfstatat, AT_FDCWD, whole, &status, 0) == 0;
    int fd = (int)syscall(SYS_openat, directory, path, flags, mode);
    int kept = errno;
    if (fd >= 0 && look(fd, &seen) && seen.file) {
        if (!was) text('c', seen.inode, seen.name);
        else if (flags & O_TRUNC) record('t', seen.inode, 0, NULL, 0, NULL, 0);
    }
    settled();
    end();
    errno = kept;
    return fd;
}

#define MODE mode_t mode = 0; if (flags & (O_CREAT | __O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }
int open(const char *path, int flags, ...) { MODE return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return opened(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE return opened(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE return opened(at, path, flags, mode); }
int __open_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __openat_2(int at, const char *path, int flags) { return opened(at, path, flags, 0); }
int __openat64_2(int at, const char *path, int flags) { return opened(at, path, flags, 0); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    char one[PATH_MAX], two[PATH_MAX];
    const char *source = resolve(from_at, from, one), *target = resolve(to_at, to, two);
    if (!source && !target) return (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    if (!source || !target) die("a rename into or out of the directory\n");
    begin();
    int result = (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    int kept = errno;
    if (result == 0) record('r', 0, 0, source, strlen(source), target, strlen(target));
    settled();
    end();
    errno = kept;
    return result;
}
int renameat(int a, const char *from, int b, const char *to) { return renameat2(a, from, b, to, 0); }
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int at, const char *path, int flags) {
    char whole[PATH_MAX];
    const char *name = resolve(at, path, whole);
    if (!name) return (int)syscall(SYS_unlinkat, at, path, flags);
    begin();
    int result = (int)syscall(SYS_unlinkat, at, path, flags);
    int kept = errno;
    if (result == 0) text((flags & AT_REMOVEDIR) ? 'x' : 'u', 0, name);
    settled();
    end();
    errno = kept;
    return result;
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int at, const char *path, mode_t mode) {
    char whole[PATH_MAX];
    const char *name = resolve(at, path, whole);
    if (!name) return (int)syscall(SYS_mkdirat, at, path, mode);
    begin();
    int result = (int)syscall(SYS_mkdirat, at, path, mode);
    int kept = errno;
    if (result == 0) text('m', 0, name);
    settled();
    end();
    errno = kept;
    return result;
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int linkat(int a, const char *from, int b, const char *to, int flags) {
    char whole[PATH_MAX];
    if (resolve(b, to, whole)) { errno = EPERM; return -1; }
    return (int)syscall(SYS_linkat, a, from, b, to, flags);
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

/* --- contents ---------------------------------------------------------------------------------------------------- */

/* `offset` < 0: at the file's own position. */
static ssize_t written(int fd, const struct iovec *parts, int count, off_t offset) {
    struct seen seen;
    int ours = look(fd, &seen) && seen.file;
    if (!ours && !(fd == 1 && root))
        return offset < 0 ? syscall(SYS_writev, fd, parts, count)
                          : syscall(SYS_pwritev, fd, parts, count, offset, 0L);
    begin();
    ssize_t result = offset < 0 ? syscall(SYS_writev, fd, parts, count)
                                : syscall(SYS_pwritev, fd, parts, count, offset, 0L);
    int kept = errno;
    off_t at = offset >= 0 ? offset : ours && result > 0 ? (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR) - result : 0;
    ssize_t left = result;
    for (int part = 0; part < count && left > 0; part++) {
        size_t length = parts[part].iov_len < (size_t)left ? parts[part].iov_len : (size_t)left;
        if (length) record(ours ? 'w' : 'A', ours ? seen.inode : 0, (uint64_t)at, parts[part].iov_base, length, NULL, 0);
        at += (off_t)length;
        left -= (ssize_t)length;
    }
    settled();
    end();
    errno = kept;
    return result;
}
#define ONE struct iovec part = {(void *)data, length}
ssize_t write(int fd, const void *data, size_t length) { ONE; return written(fd, &part, 1, -1); }
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { ONE; return written(fd, &part, 1, at); }
ssize_t pwrite64(int fd, const void *data, size_t length, off_t at) { ONE; return written(fd, &part, 1, at); }
ssize_t writev(int fd, const struct iovec *parts, int count) { return written(fd, parts, count, -1); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return written(fd, parts, count, at); }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at) { return written(fd, parts, count, at); }

/* The ways round write(): refused, so that callers fall back to it. */
ssize_t copy_file_range(int in, off_t *in_at, int out, off_t *out_at, size_t length, unsigned flags) {
    struct seen seen;
    if (look(out, &seen)) { errno = ENOSYS; return -1; }
    return syscall(SYS_copy_file_range, in, in_at, out, out_at, length, flags);
}
ssize_t sendfile(int out, int in, off_t *at, size_t length) {
    struct seen seen;
    if (look(out, &seen)) { errno = EINVAL; return -1; }
    return syscall(SYS_sendfile, out, in, at, length);
}
ssize_t sendfile64(int out, int in, off_t *at, size_t length) { return sendfile(out, in, at, length); }

static int resized(int fd, long (*call)(int, int, off_t, off_t), int mode, off_t one, off_t two) {
    struct seen seen;
    if (!look(fd, &seen) || !seen.file) return (int)call(fd, mode, one, two);
    begin();
    int result = (int)call(fd, mode, one, two);
    int kept = errno;
    if (result == 0 && look(fd, &seen)) record('t', seen.inode, (uint64_t)seen.size, NULL, 0, NULL, 0);
    settled();
    end();
    errno = kept;
    return result;
}
static long cut(int fd, int mode, off_t size, off_t none) { (void)mode; (void)none; return syscall(SYS_ftruncate, fd, size); }
static long grow(int fd, int mode, off_t at, off_t length) { return syscall(SYS_fallocate, fd, mode, at, length); }
int ftruncate(int fd, off_t size) { return resized(fd, cut, 0, size, 0); }
int ftruncate64(int fd, off_t size) { return resized(fd, cut, 0, size, 0); }
int fallocate(int fd, int mode, off_t at, off_t length) {
    struct seen seen;
    if (mode != 0 && look(fd, &seen)) { errno = EOPNOTSUPP; return -1; }
    return resized(fd, grow, mode, at, length);
}
int fallocate64(int fd, int mode, off_t at, off_t length) { return fallocate(fd, mode, at, length); }
int posix_fallocate(int fd, off_t at, off_t length) {
    int kept = errno, result = fallocate(fd, 0, at, length) == 0 ? 0 : errno;
    errno = kept;
    return result;
}
int posix_fallocate64(int fd, off_t at, off_t length) { return posix_fallocate(fd, at, length); }
int truncate(const char *path, off_t size) {
    int fd = opened(AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
    if (fd < 0) return -1;
    int result = ftruncate(fd, size), kept = errno;
    syscall(SYS_close, fd);
    errno = kept;
    return result;
}
int truncate64(const char *path, off_t size) { return truncate(path, size); }

void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset) {
    struct seen seen;
    if (fd >= 0 && (flags & MAP_SHARED) && (protection & PROT_WRITE) && look(fd, &seen) && seen.file) {
        pthread_mutex_lock(&lock);
        text('M', seen.inode, seen.name);
        pthread_mutex_unlock(&lock);
    }
    return (void *)syscall(SYS_mmap, at, length, protection, flags, fd, offset);
}
void *mmap64(void *at, size_t length, int protection, int flags, int fd, off_t offset) {
    return mmap(at, length, protection, flags, fd, offset);
}

/* --- durability -------------------------------------------------------------------------------------------------- */

static int synced(int fd, long number) {
    struct seen seen;
    if (!look(fd, &seen)) return (int)syscall(number, fd);
    begin();
    int result = (int)syscall(number, fd);
    int kept = errno;
    if (result == 0) text(seen.directory ? 'd' : 's', seen.inode, seen.name);
    settled();
    end();
    errno = kept;
    return result;
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }
