#include "tests/bench/peer.h"

#include "spop/frame.h"
#include "spop/hello.h"
#include "tests/bench/machine.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

union address {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_in in;
};

static socklen_t address_of(const char *where, union address *ret)
{
	const char *colon = strrchr(where, ':');
	char host[64];

	memset(ret, 0, sizeof(*ret));
	if (where[0] == '/') {
		ret->un.sun_family = AF_UNIX;
		if (strlen(where) >= sizeof(ret->un.sun_path))
			bench_die("%s is too long a path", where);
		memcpy(ret->un.sun_path, where, strlen(where) + 1);
		return sizeof(ret->un);
	}
	if (!colon || (size_t)(colon - where) >= sizeof(host))
		bench_die("%s is neither a path nor ADDRESS:PORT", where);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - where), where);
	ret->in.sin_family = AF_INET;
	ret->in.sin_port = htons((uint16_t)atoi(colon + 1));
	if (inet_pton(AF_INET, host, &ret->in.sin_addr) != 1)
		bench_die("%s is no address", host);
	return sizeof(ret->in);
}

static int open_socket(const union address *address)
{
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0)
		bench_die("no socket: %m");
	if (address->any.sa_family == AF_INET &&
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		bench_die("TCP_NODELAY: %m");
	return fd;
}

int bench_connect(const char *where)
{
	union address address;
	socklen_t n = address_of(where, &address);
	int fd = open_socket(&address);

	if (connect(fd, &address.any, n))
		bench_die("%s: %m", where);
	return fd;
}

int bench_listen(const char *where)
{
	union address address;
	socklen_t n = address_of(where, &address);
	int fd = open_socket(&address);
	int one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		bench_die("SO_REUSEADDR: %m");
	if (bind(fd, &address.any, n) || listen(fd, 4096))
		bench_die("%s: %m", where);
	return fd;
}

void bench_nonblocking(int fd)
{
	if (fcntl(fd, F_SETFL, O_NONBLOCK))
		bench_die("O_NONBLOCK: %m");
}

void bench_hello(int fd)
{
	const struct spop_hello hello = {
		.max_frame_size = SPOP_FRAME_SIZE_DEFAULT, .pipelining = true};
	unsigned char bytes[1024];
	struct wr w = wr_of(bytes, sizeof(bytes));
	struct spop_frame_mark mark = spop_frame_begin(&w, SPOP_HAPROXY_HELLO, SPOP_FIN, 0, 0);
	struct spop_agent_hello answer;
	struct spop_frame frame;
	struct rd r;
	ssize_t got;

	spop_hello_encode_haproxy(&w, &hello);
	if (spop_frame_end(&w, mark, sizeof(bytes)))
		bench_die("HELLO does not fit");
	if (send(fd, bytes, wr_len(&w), MSG_NOSIGNAL) != (ssize_t)wr_len(&w))
		bench_die("HELLO: %m");
	got = recv(fd, bytes, sizeof(bytes), 0);
	r = rd_of(bytes, got > 0 ? (size_t)got : 0);
	if (spop_frame_next(&r, sizeof(bytes), &frame) != 1 || frame.type != SPOP_AGENT_HELLO ||
		spop_hello_parse_agent(frame.payload, &answer) != SPOP_STATUS_NORMAL ||
		!answer.pipelining)
		bench_die("no good HELLO came back");
}
