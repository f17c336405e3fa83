/* The same fast upstream for the gateway and its peers: any request is answered with 200 and 120 bytes, and with 204 where
   the path begins with /auth. HTTP/1.1 with keep-alive and pipelining, one thread, epoll. Requests have no body. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"
static const char page[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 120\r\n\r\n" BODY;
static const char allowed[] = "HTTP/1.1 204 No Content\r\nX-Viewer: ada\r\n\r\n";
_Static_assert(sizeof BODY == 121, "120 bytes");

enum { connections = 4096, room = 16384 };
static struct { char *bytes; int held; } state[connections];

static void drop(int socket) {
    free(state[socket].bytes);
    state[socket].bytes = NULL;
    state[socket].held = 0;
    close(socket);
}

static void serve(int socket) {
    char *bytes = state[socket].bytes;
    int got = recv(socket, bytes + state[socket].held, room - 1 - state[socket].held, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) { drop(socket); return; }
    int held = state[socket].held + got, at = 0;
    bytes[held] = 0;
    static char out[room * 8];
    int length = 0;
    for (char *end; (end = strstr(bytes + at, "\r\n\r\n")); at = end + 4 - bytes) {
        char *path = strchr(bytes + at, ' ');
        int is_auth = path && !strncmp(path + 1, "/auth", 5);
        int size = (is_auth ? sizeof allowed : sizeof page) - 1;
        if (length + size > (int)sizeof out) break;
        memcpy(out + length, is_auth ? allowed : page, size);
        length += size;
    }
    memmove(bytes, bytes + at, held - at);
    state[socket].held = held - at;
    if (length > 0 && send(socket, out, length, MSG_NOSIGNAL) != length) { drop(socket); return; }
    if (state[socket].held == room - 1) drop(socket);
}

static void stop(int number) {
    (void)number;
    _exit(0);
}

int main(void) {
    signal(SIGTERM, stop);
    int port = atoi(getenv("PORT") ? getenv("PORT") : "5000"), on = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = INADDR_ANY};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) { perror("listen"); return 1; }
    int poll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(poll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            int socket = events[i].data.fd;
            if (socket != listener) { serve(socket); continue; }
            while ((socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                if (socket >= connections) { close(socket); continue; }
                setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                state[socket].bytes = malloc(room);
                event = (struct epoll_event){.events = EPOLLIN, .data.fd = socket};
                epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event);
            }
        }
    }
}
