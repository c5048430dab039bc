"""One kafka.conn.BrokerConnection, driven operation by operation.

stdin has one JSON object a line, an operation; each is answered by one on
stdout: what happened, in the common vocabulary. Where kafka-python would wait,
"wait" is printed instead, and the answer says whether the broker did something
or the clock moves. Three things of kafka.conn are replaced, its behaviour is not:

    time, uniform   a clock that stands still until it is moved, and fixed jitter
    dns_lookup      the addresses of the script
    socket          real sockets, whose recv knows when all that the broker sent
                    has arrived, so that no trace depends on when that was

Addresses that are "silent" are not dialled: nothing ever answers there.
"""
import errno
import importlib.util
import json
import logging
import select
import selectors
import socket
import sys
import types

# kafka-python 2.0.2 holds a copy of six whose importer has find_module only,
# which Python no longer asks for since 3.12.
class OldImporters(object):
    @staticmethod
    def find_spec(name, path=None, target=None):
        for finder in sys.meta_path:
            if hasattr(finder, 'find_module') and not hasattr(finder, 'find_spec'):
                loader = finder.find_module(name, path)
                if loader:
                    return importlib.util.spec_from_loader(name, loader)
        return None

sys.meta_path.append(OldImporters)

import kafka.conn
import kafka.errors
from kafka.protocol.admin import ListGroupsRequest
from kafka.protocol.group import HeartbeatRequest
from kafka.protocol.metadata import MetadataRequest
from kafka.protocol.produce import ProduceRequest

logging.disable(logging.CRITICAL)

# How long something is awaited that is certain to come.
PATIENCE = 20

STATES = {
    'DISCONNECTED': 'disconnected', 'CONNECTING': 'connecting', 'HANDSHAKE': 'handshake',
    'API_VERSIONS_SEND': 'negotiating', 'API_VERSIONS_RECV': 'negotiating',
    'AUTHENTICATING': 'authenticating', 'CONNECTED': 'connected',
}

KINDS = {
    'KafkaConnectionError': 'connection', 'NodeNotReadyError': 'not-ready',
    'TooManyInFlightRequests': 'too-many-in-flight', 'RequestTimedOutError': 'request-timed-out',
    'Cancelled': 'cancelled', 'CorrelationIdError': 'correlation', 'InvalidReceiveError': 'frame-size',
    'KafkaProtocolError': 'protocol', 'UnrecognizedBrokerVersion': 'unknown-release',
    'ThrottlingQuotaExceededError': 'throttled', 'UserError': 'user-error',
}


class UserError(Exception):
    pass


class Stuck(BaseException):
    """The script cannot go on. Not an Exception: kafka-python would catch it."""


def kind(error):
    name = type(error).__name__
    return KINDS.get(name, name)


def state_name(state):
    for name in STATES:
        if getattr(kafka.conn.ConnectionStates, name, None) == state:
            return STATES[name]
    return str(state)


class Instant(float):
    """A time, or a span, whose sums and differences are those of decimal numbers:
    0.15 - 0.1 is 0.05, so that a pause ends where it ends and not just beside it."""

    def __add__(self, other):
        return Instant(round(float(self) + float(other), 9))

    def __sub__(self, other):
        return Instant(round(float(self) - float(other), 9))

    def __rsub__(self, other):
        return Instant(round(float(other) - float(self), 9))

    __radd__ = __add__


class World(object):
    """What kafka-python would find around it."""

    def __init__(self):
        self.reset({'jitter': 1.0, 'addresses': {}, 'lookup': []})

    def reset(self, op):
        self.now = 10 ** 9  # in µs; kafka-python takes 0 for "never"
        self.jitter = op['jitter']
        self.addresses = op['addresses']
        self.lookup = op['lookup']
        self.silent = set(a['port'] for a in self.addresses.values() if a['kind'] == 'silent')
        self.links = 0      # sockets that were connected so far
        self.link = None    # the last of them
        self.arrived = {}
        self.lines = []

    def time(self):
        return Instant(self.now / 1e6)

    def sleep(self, seconds):
        self.now += int(round(seconds * 1e6))

    def uniform(self, low, high):
        assert low <= self.jitter <= high
        return self.jitter

    def dns_lookup(self, host, port, afi=0):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, '', ('127.0.0.1', self.addresses[name]['port']))
                for name in self.lookup]

    def say(self, line):
        self.lines.append(line)

    def wait(self, seconds):
        """The owner would wait now: the broker acts, or the time passes."""
        answer = self.ask({'wait': -1 if seconds is None else int(round(seconds * 1e6))})
        self.now += answer['advance']
        self.take(answer)

    def ask(self, message):
        message.update(link=self.links, sent=self.link.taken if self.link else 0)
        sys.stdout.write(json.dumps(message) + '\n')
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            sys.exit(0)
        return json.loads(line)

    def take(self, message):
        """Let all that the broker sent so far arrive."""
        self.arrived = message['arrived']
        if self.link:
            self.link.arrive()


world = World()


class Socket(socket.socket):
    """A real socket that never blocks: where kafka-python has made it block, it
    waits as the script wants it to. It takes in what has arrived when it is told
    to, and hands that out as a socket would."""

    def __init__(self, *args, **kwargs):
        super(Socket, self).__init__(*args, **kwargs)
        super(Socket, self).setblocking(False)
        self.number = 0        # among those that were connected
        self.dialling = False
        self.gone = False
        self.limit = None      # of a blocking call, in seconds
        self.buffer = bytearray()
        self.got = 0
        self.taken = 0
        self.end = ''

    def setblocking(self, flag):
        self.limit = None if flag else 0

    def settimeout(self, seconds):
        self.limit = seconds

    def connect_ex(self, address):
        if address[1] in world.silent:
            return errno.EINPROGRESS
        if not self.dialling:
            # The first call only begins, as it would to a broker far away.
            self.dialling = True
            self.outcome = super(Socket, self).connect_ex(address)
            return errno.EINPROGRESS
        if self.number:
            return errno.EISCONN
        if self.outcome in (errno.EINPROGRESS, errno.EALREADY, errno.EWOULDBLOCK):
            self.ready_for(select.POLLOUT)
            self.outcome = self.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if self.outcome == 0:
            world.links += 1
            self.number = world.links
            world.link = self
        return self.outcome

    def ready_for(self, event):
        poller = select.poll()
        poller.register(self.fileno(), event)
        if not poller.poll(PATIENCE * 1000):
            raise Stuck('the socket is not ready after %d s' % PATIENCE)

    def arrive(self):
        wanted = world.arrived
        if self.gone or wanted.get('link') != self.number:
            return
        while (self.got < wanted['bytes'] or wanted['end']) and not self.end:
            self.ready_for(select.POLLIN)
            try:
                data = super(Socket, self).recv(1 << 16)
            except BlockingIOError:
                continue
            except ConnectionResetError:
                self.end = 'reset'
                return
            if not data:
                self.end = 'closed'
                return
            self.buffer += data
            self.got += len(data)

    def recv(self, size):
        if self.buffer:
            data = bytes(self.buffer[:size])
            del self.buffer[:size]
            return data
        if self.end == 'closed':
            return b''
        if self.end == 'reset':
            raise ConnectionResetError(errno.ECONNRESET, 'Connection reset by peer')
        raise BlockingIOError(errno.EAGAIN, 'nothing there')

    def send(self, data):
        until = None if self.limit is None else world.now + int(self.limit * 1e6)
        while True:
            try:
                n = super(Socket, self).send(data)
                self.taken += n
                return n
            except BlockingIOError:
                if self.limit == 0:
                    raise
            if world.arrived.get('reading'):
                self.ready_for(select.POLLOUT)
                continue
            world.wait(None if until is None else (until - world.now) / 1e6)
            if until is not None and world.now >= until:
                # Even if the system has found room for a little more meanwhile.
                raise TimeoutError('timed out')

    def close(self):
        if self.number and not self.gone:
            world.say('link closed')
        self.gone = True
        super(Socket, self).close()


class Waiter(object):
    """The "selector" of kafka-python's configuration."""

    def register(self, sock, events):
        self.sock, self.events, self.state = sock, events, None

    def select(self, timeout=None):
        if self.sock.dialling and not self.sock.number:
            return []  # the next connect_ex waits for the outcome
        if self.events & selectors.EVENT_WRITE and self.sock.number:
            # It is writable: kafka-python goes round and round. While nothing
            # changes a round counts as a millisecond.
            before, self.state = self.state, session.conn.state
            if before != self.state:
                return []
            timeout = 0.001
        world.wait(timeout)
        return []

    def close(self):
        pass


class Replaced(types.ModuleType):
    """A module with some of its names replaced."""

    def __init__(self, module, **names):
        super(Replaced, self).__init__(module.__name__)
        self.__dict__.update(names)
        self._module = module

    def __getattr__(self, name):
        return getattr(self._module, name)


import time
kafka.conn.time = Replaced(time, time=world.time, sleep=world.sleep)
kafka.conn.socket = Replaced(socket, socket=Socket)
kafka.conn.uniform = world.uniform
kafka.conn.dns_lookup = world.dns_lookup


def build(words):
    name, version, rest = words[0], int(words[1][1:]), words[2:]
    if name == 'heartbeat':
        return HeartbeatRequest[version](rest[0], 7, 'member')
    if name == 'metadata':
        return MetadataRequest[version](rest)
    if name == 'list_groups':
        return ListGroupsRequest[version]()
    if name == 'produce':
        acks, size = int(rest[0]), int(rest[1])
        return ProduceRequest[version](acks, 1000, [('t', [(0, b'x' * size)])])
    if name == 'find_coordinator':
        try:
            from kafka.protocol.find_coordinator import FindCoordinatorRequest
        except ImportError:
            from kafka.protocol.commit import GroupCoordinatorRequest as FindCoordinatorRequest
        return FindCoordinatorRequest[version](rest[0])
    if name == 'list_reassignments':
        from kafka.protocol.admin import ListPartitionReassignmentsRequest
        return ListPartitionReassignmentsRequest[version](1000, [('t', [0], {})], {})
    raise ValueError('not known to the driver')


def essence(r):
    """What an answer says, read from the decoded object."""
    name = type(r).__name__
    if name.startswith('HeartbeatResponse'):
        return 'heartbeat error=%d' % r.error_code
    if name.startswith('MetadataResponse'):
        return 'metadata brokers=[%s] topics=[%s]' % (
            ' '.join('%d@%s:%d' % b[:3] for b in r.brokers),
            ' '.join('%s error=%d' % (t[1], t[0]) for t in r.topics))
    if name.startswith('ListGroupsResponse'):
        return 'list_groups error=%d groups=[%s]' % (r.error_code, ' '.join(g[0] for g in r.groups))
    if name.startswith('ProduceResponse'):
        topic, partitions = r.topics[0][:2]
        return 'produce %s/%d error=%d offset=%d' % ((topic,) + tuple(partitions[0][:3]))
    if name.startswith(('FindCoordinatorResponse', 'GroupCoordinatorResponse')):
        return 'find_coordinator error=%d node=%d@%s:%d' % (r.error_code, r.coordinator_id, r.host, r.port)
    if name.startswith('ListPartitionReassignmentsResponse'):
        return 'list_reassignments error=%d' % r.error_code
    return name


class Session(object):
    def __init__(self, op):
        world.reset(op)
        config = op['config']
        if config.get('api_version') is not None:
            config['api_version'] = tuple(config['api_version'])
        self.reactions = op['reactions']
        self.futures = {}
        self.said = set()  # the futures whose outcome was told
        self.last = None
        self.conn = kafka.conn.BrokerConnection(
            'broker.test', 9092, socket.AF_UNSPEC, selector=Waiter,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
            state_change_callback=self.changed, **config)

    def changed(self, node_id, sock, conn):
        now = state_name(conn.state)
        if now == self.last == 'negotiating':
            return  # two steps of kafka-python's, one of the vocabulary's
        self.last = now
        world.say('callback ' + now)
        for action in self.reactions.pop(now, []):
            world.say('in callback: ' + action)
            {'close': conn.close, 'connect': conn.connect,
             'close with an error': lambda: conn.close(UserError('rebalancing'))}[action]()

    def future(self, name, f):
        self.futures[name] = f

        def done(value):
            if name not in self.said:
                world.say('done %s' % name)

        def failed(e):
            self.said.add(name)
            world.say('failed %s %s%s' % (name, kind(e), ' retriable' if getattr(e, 'retriable', False) else ''))
        f.add_callback(done)
        f.add_errback(failed)

    def answered(self, responses):
        for response, future in responses:
            name = next(n for n, f in self.futures.items() if f is future)
            self.said.add(name)
            world.say('answer %s %s %s' % (name, 'done' if future.is_done else 'pending', essence(response)))
            if not future.is_done:
                future.success(response)

    def op_connect(self, op):
        """Calls connect until that leads no further."""
        while True:
            self.conn.connect()
            dialling = state_name(self.conn.state) == 'connecting' and self.conn._sock.dialling
            # 2.3.3 asks for the versions in its next call.
            asking = self.conn.state == getattr(kafka.conn.ConnectionStates, 'API_VERSIONS_SEND', None)
            if not dialling and not asking:
                break

    def op_close(self, op):
        self.conn.close(UserError('rebalancing') if op.get('error') else None)

    def op_send(self, op):
        extra = {}
        if op.get('timeout'):
            extra['request_timeout_ms'] = op['timeout'] / 1e3
        try:
            request = build(op['request'])
        except Exception as e:
            raise Stuck('there is no request %s: %r' % (' '.join(op['request']), e))
        self.future(op['name'], self.conn.send(request, blocking=op['blocking'], **extra))

    def op_recv(self, op):
        self.answered(self.conn.recv())

    def op_send_pending_requests(self, op):
        world.say('send_pending_requests %s' % str(self.conn.send_pending_requests()).lower())

    def op_send_pending_requests_v2(self, op):
        done = self.conn.send_pending_requests_v2()
        while op.get('until') and not done and self.conn.connected():
            self.conn._sock.ready_for(select.POLLOUT)
            done = self.conn.send_pending_requests_v2()
        world.say('send_pending_requests_v2 %s' % str(done).lower())

    def op_connection_delay(self, op):
        ms = self.conn.connection_delay()
        world.say('connection_delay ' + ('forever' if ms == float('inf') else '%.3f ms' % ms))

    def op_check_version(self, op):
        try:
            version = self.conn.check_version(timeout=op['timeout'] / 1e6)
        except kafka.errors.KafkaError as e:
            world.say('check_version %s%s' % (kind(e), ' retriable' if e.retriable else ''))
        else:
            version = (tuple(version) + (0, 0))[:3]
            world.say('check_version %d.%d.%d' % version)

    def question(self, name):
        if name == 'connection_delay':
            self.op_connection_delay(None)
        else:
            world.say('%s %s' % (name, str(getattr(self.conn, name)()).lower()))

    def perform(self, op):
        name, began = op['op'], world.now
        method = getattr(self, 'op_' + name, None)
        try:
            if method:
                method(op)
            else:
                self.question(name)
        except Exception as e:
            world.say('raised %s' % type(e).__name__)
        if world.now != began:
            world.say('took %.3f ms' % ((world.now - began) / 1e3))


session = None


def main():
    global session
    op = world.ask({'version': kafka.__version__})
    while True:
        world.lines = []
        try:
            if op['op'] == 'new':
                session = Session(op)
            elif op['op'] == 'advance':
                world.now += op['duration']
            elif op['op'] == 'end':
                session.conn.close()
            elif op['op'] == 'lookup':
                world.lookup = op['lookup']
            else:
                world.take(op)
                session.perform(op)
        except Stuck as e:
            op = world.ask({'stuck': str(e)})
            continue
        op = world.ask({'lines': world.lines, 'state': state_name(session.conn.state)})


main()
