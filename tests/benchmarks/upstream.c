/* upstream: a cheap provider for the benchmarks. One thread, epoll, HTTP/1.1 keep-alive.
 * usage: upstream PORT PACE_MS ANSWERS
 * ANSWERS is the folder that answers.py wrote. The dialect follows the request path (.../messages,
 * .../responses, else Chat). A body with "stream":true gets the stream, in one write, or one event
 * every PACE_MS where the body holds "[paced]"; any other gets the small answer, above 100 KB the
 * large one. A GET gets the model list: health checks ask for it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHAT, MESSAGES, RESPONSES, DIALECTS };

enum { SMALL, LARGE, SIZES };

enum { LARGE_BODY = 100000, MAX_PACED = 70000 };

static const char *const NAMES[DIALECTS] = {"chat", "messages", "responses"};
static const char *const STREAM_HEAD =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    "cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";

/* bytes */
typedef struct {
    char *p;
    size_t n;
} Buf;

/* an answer event by event, and in one piece */
typedef struct {
    Buf *ev;
    int n;
    Buf whole;
} Stream;

typedef struct {
    int fd, listener;
    char *in; /* what was received and is not answered yet */
    size_t len, cap;
    char *out; /* what did not fit into the socket */
    size_t outlen, outpos;
    Stream *s; /* a paced stream: its next event, when it is due, its place in `active` */
    int next, slot;
    double due;
} Conn;

static int ep, npaced;
static double pace;
static Conn *active[MAX_PACED];
static Stream streams[DIALECTS];
static Buf plain[DIALECTS][SIZES], models;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void add(Buf *b, const char *p, size_t n) {
    b->p = realloc(b->p, b->n + n);
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

static Buf read_file(const char *folder, const char *name) {
    char path[4096];
    Buf b = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(1);
    }
    fseek(file, 0, SEEK_END);
    b.n = ftell(file);
    rewind(file);
    b.p = malloc(b.n + 1);
    if (fread(b.p, 1, b.n, file) != b.n) exit(1);
    fclose(file);
    return b;
}

static Buf json_answer(const char *folder, const char *name) {
    Buf b = {0}, body = read_file(folder, name);
    char head[160];
    int n = sprintf(
        head, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n",
        body.n);
    add(&b, head, n);
    add(&b, body.p, body.n);
    free(body.p);
    return b;
}

static Buf chunk(const char *p, size_t n) {
    Buf b = {0};
    char size[32];
    add(&b, size, sprintf(size, "%zx\r\n", n));
    add(&b, p, n);
    add(&b, "\r\n", 2);
    return b;
}

/* A chunk for each event. The head travels with the first one, the end of the body with the last;
 * `whole` is all of them in one piece. */
static Stream stream_answer(const char *folder, const char *name) {
    Stream s = {0};
    Buf text = read_file(folder, name);
    Buf first = {0};
    for (char *p = text.p, *end = p + text.n, *blank; p < end; p = blank + 2) {
        blank = memmem(p, end - p, "\n\n", 2);
        s.ev = realloc(s.ev, sizeof(Buf) * (s.n + 1));
        s.ev[s.n++] = chunk(p, blank + 2 - p);
    }
    add(&first, STREAM_HEAD, strlen(STREAM_HEAD));
    add(&first, s.ev[0].p, s.ev[0].n);
    s.ev[0] = first;
    add(&s.ev[s.n - 1], "0\r\n\r\n", 5);
    for (int i = 0; i < s.n; i++) add(&s.whole, s.ev[i].p, s.ev[i].n);
    free(text.p);
    return s;
}

static void read_answers(const char *folder) {
    char name[64];
    for (int dialect = 0; dialect < DIALECTS; dialect++) {
        sprintf(name, "%s-small.json", NAMES[dialect]);
        plain[dialect][SMALL] = json_answer(folder, name);
        sprintf(name, "%s-large.json", NAMES[dialect]);
        plain[dialect][LARGE] = json_answer(folder, name);
        sprintf(name, "%s.sse", NAMES[dialect]);
        streams[dialect] = stream_answer(folder, name);
    }
    models = json_answer(folder, "models.json");
}

static void arm(Conn *c, int write) {
    struct epoll_event e = {EPOLLIN | (write ? EPOLLOUT : 0), {.ptr = c}};
    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}

static void unpace(Conn *c) {
    if (c->slot < 0) return;
    active[c->slot] = active[--npaced];
    active[c->slot]->slot = c->slot;
    c->slot = -1;
}

static void drop(Conn *c) {
    unpace(c);
    close(c->fd);
    free(c->in);
    free(c);
}

static int send_buf(Conn *c, char *p, size_t n) {
    ssize_t w = send(c->fd, p, n, MSG_NOSIGNAL);
    if (w < 0) {
        if (errno != EAGAIN) return -1;
        w = 0;
    }
    if ((size_t)w < n) {
        c->out = p;
        c->outlen = n;
        c->outpos = w;
        arm(c, 1);
    }
    return 0;
}

/* the whole size of the request at the front of c->in, 0 while it is not complete */
static size_t request_size(Conn *c, size_t *head) {
    char *end = memmem(c->in, c->len, "\r\n\r\n", 4);
    if (!end) return 0;
    *head = end - c->in + 4;
    *end = 0;
    char *length = strcasestr(c->in, "\r\ncontent-length:");
    char *chunked = strcasestr(c->in, "\r\ntransfer-encoding: chunked");
    *end = '\r';
    size_t size = *head;
    if (length)
        size += strtoul(length + 17, 0, 10);
    else if (chunked) {
        char *last = memmem(c->in + *head - 2, c->len - *head + 2, "\r\n0\r\n\r\n", 7);
        if (!last) return 0;
        size = last + 7 - c->in;
    }
    return c->len < size ? 0 : size;
}

static int dialect_of(const char *line, size_t n) {
    if (memmem(line, n, "/messages", 9)) return MESSAGES;
    return memmem(line, n, "/responses", 10) ? RESPONSES : CHAT;
}

/* answers one request at the front of c->in; 0 when incomplete, -1 when the peer is gone */
static int serve(Conn *c) {
    size_t head, size = request_size(c, &head);
    if (!size) return 0;
    char *body = c->in + head, *line_end = memchr(c->in, '\r', head);
    size_t n = size - head;
    int dialect = dialect_of(c->in, line_end - c->in), get = c->in[0] == 'G';
    int stream = memmem(body, n, "\"stream\":true", 13) || memmem(body, n, "\"stream\": true", 14);
    int paced = stream && memmem(body, n, "[paced]", 7);
    c->len -= size;
    memmove(c->in, c->in + size, c->len);
    if (paced) {
        c->s = &streams[dialect];
        c->next = 0;
        c->due = now();
        c->slot = npaced;
        active[npaced++] = c;
        return 1;
    }
    Buf *answer = &plain[dialect][n > LARGE_BODY ? LARGE : SMALL];
    if (stream) answer = &streams[dialect].whole;
    if (get) answer = &models;
    return send_buf(c, answer->p, answer->n) < 0 ? -1 : 1;
}

static void watch(Conn *c) {
    struct epoll_event e = {EPOLLIN, {.ptr = c}};
    epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
}

static void listen_on(int port) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (void *)&a, sizeof a) || listen(fd, 4096)) {
        perror("listen");
        exit(1);
    }
    Conn *c = calloc(1, sizeof *c);
    c->fd = fd;
    c->listener = 1;
    watch(c);
}

static void accept_all(int listener) {
    int one = 1, fd;
    while ((fd = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        Conn *c = calloc(1, sizeof *c);
        c->fd = fd;
        c->slot = -1;
        c->in = malloc(c->cap = 16384);
        watch(c);
    }
}

/* sends on what did not fit before; -1 when the peer is gone */
static int flush(Conn *c) {
    ssize_t w = send(c->fd, c->out + c->outpos, c->outlen - c->outpos, MSG_NOSIGNAL);
    if (w < 0 && errno != EAGAIN) return -1;
    if (w > 0) c->outpos += w;
    if (c->outpos == c->outlen) {
        c->out = 0;
        arm(c, 0);
    }
    return 0;
}

/* reads, and answers every request that is complete; -1 when the peer is gone */
static int take(Conn *c) {
    if (c->cap - c->len < 65536) c->in = realloc(c->in, c->cap = c->cap * 2 + 65536);
    ssize_t r = recv(c->fd, c->in + c->len, c->cap - c->len - 1, 0);
    if (r == 0 || (r < 0 && errno != EAGAIN)) return -1;
    if (r > 0) c->len += r;
    int rc = 1;
    while (c->len && (rc = serve(c)) > 0);
    return rc < 0 ? -1 : 0;
}

/* sends the events that are due */
static void send_paced(void) {
    double t = npaced ? now() : 0;
    for (int i = 0; i < npaced; i++) {
        Conn *c = active[i];
        if (c->due > t || c->out) continue;
        if (send_buf(c, c->s->ev[c->next].p, c->s->ev[c->next].n) < 0) {
            drop(c);
            i--;
            continue;
        }
        c->due += pace;
        if (++c->next == c->s->n) {
            unpace(c);
            i--;
        }
    }
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: upstream PORT PACE_MS ANSWERS\n");
        return 2;
    }
    pace = atof(argv[2]) / 1e3;
    read_answers(argv[3]);
    ep = epoll_create1(0);
    listen_on(atoi(argv[1]));
    struct epoll_event events[512];
    for (;;) {
        int n = epoll_wait(ep, events, 512, npaced ? 1 : -1);
        for (int i = 0; i < n; i++) {
            Conn *c = events[i].data.ptr;
            if (c->listener) {
                accept_all(c->fd);
                continue;
            }
            if (events[i].events & EPOLLOUT && c->out && flush(c) < 0) {
                drop(c);
                continue;
            }
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) && take(c) < 0) drop(c);
        }
        send_paced();
    }
}

