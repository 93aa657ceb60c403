/* The least that a client of a resident server can cost, and the server it needs.
 *
 *   floor serve PATH   answers each message with itself, a connection at a time
 *   floor PATH         connects, writes 64 bytes, reads 64, exits
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE 64

static int endpoint(const char *path, struct sockaddr_un *to) {
    memset(to, 0, sizeof *to);
    to->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof to->sun_path) return -1;
    strcpy(to->sun_path, path);
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* Reads exactly one message: 1, or 0 when the peer is gone. */
static int take(int fd, char *message) {
    for (size_t have = 0; have < MESSAGE;) {
        ssize_t got = read(fd, message + have, MESSAGE - have);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return 0;
        have += (size_t)got;
    }
    return 1;
}

static int serve(const char *path) {
    struct sockaddr_un at;
    int listener = endpoint(path, &at);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 64)) return 1;
    for (;;) {
        char message[MESSAGE];
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) continue;
        while (take(fd, message))
            if (send(fd, message, MESSAGE, MSG_NOSIGNAL) != MESSAGE) break;
        close(fd);
    }
}

static int ask(const char *path) {
    struct sockaddr_un to;
    char message[MESSAGE] = "hello";
    int fd = endpoint(path, &to);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to)) return 1;
    return write(fd, message, MESSAGE) != MESSAGE || !take(fd, message);
}

int main(int count, char **words) {
    if (count == 3 && !strcmp(words[1], "serve")) return serve(words[2]);
    return count == 2 ? ask(words[1]) : 2;
}
