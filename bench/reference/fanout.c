/* Fan-out in C: an epoll loop with one write for each reader and message; the floor under any server that sends each
   message by itself.

   A client that sends GET becomes a reader. "PUB <bytes>\n" and so many bytes go to all readers as they are. Prints its
   address when it listens. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS 32768
#define BUFFER 65536
#define EVENTS 1024

static const char HEAD[] = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
static int readers[CONNECTIONS];
static int place[CONNECTIONS]; /* of a descriptor among the readers, -1 where it is none */
static int count;
static char buffer[BUFFER]; /* of the one publisher */
static size_t filled;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void leave(int fd) {
  if (place[fd] >= 0) {
    readers[place[fd]] = readers[--count];
    place[readers[place[fd]]] = place[fd];
    place[fd] = -1;
  }
  close(fd);
}

static void publish(const char *message, size_t size) {
  for (int i = 0; i < count; i++)
    if (write(readers[i], message, size) != (ssize_t)size) fail("a reader does not take a message");
}

static void receive(int fd) {
  char request[4096];
  if (place[fd] >= 0) { /* a reader has nothing to say: it leaves, or answers a ping */
    if (read(fd, request, sizeof request) <= 0) leave(fd);
    return;
  }
  ssize_t size = read(fd, buffer + filled, BUFFER - filled);
  if (size <= 0) {
    filled = 0;
    leave(fd);
    return;
  }
  if (filled == 0 && size >= 3 && memcmp(buffer, "GET", 3) == 0) {
    if (write(fd, HEAD, sizeof HEAD - 1) < 0) fail("write");
    place[fd] = count;
    readers[count++] = fd;
    return;
  }
  filled += (size_t)size;
  size_t at = 0;
  for (;;) {
    char *end = memchr(buffer + at, '\n', filled - at);
    if (end == NULL) break;
    size_t length = strtoul(buffer + at + 4, NULL, 10), start = (size_t)(end - buffer) + 1;
    if (start + length > filled) break;
    publish(buffer + start, length);
    at = start + length;
  }
  memmove(buffer, buffer + at, filled - at);
  filled -= at;
}

int main(void) {
  int listener = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0), one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 4096)) fail("listen");
  getsockname(listener, (struct sockaddr *)&address, &size);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS];
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  memset(place, -1, sizeof place);
  printf("http://127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    int ready = epoll_wait(poll, events, EVENTS, -1);
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd != listener) {
        receive(fd);
        continue;
      }
      int accepted = accept(listener, NULL, NULL);
      if (accepted < 0 || accepted >= CONNECTIONS) fail("accept");
      setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      event.data.fd = accepted;
      epoll_ctl(poll, EPOLL_CTL_ADD, accepted, &event);
    }
  }
}
