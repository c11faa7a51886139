# auth-time.py PORT SAMPLES: see auth-time.sh.
import base64, socket, statistics, sys, threading, time

port, samples = int(sys.argv[1]), int(sys.argv[2])
lanes = 4
kinds = {'known user, wrong password': 'joe', 'unknown user': 'nobody-of-that-name'}


def session():
    s = socket.create_connection(('127.0.0.1', port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    f = s.makefile('rwb', buffering=0)
    f.readline()
    ask(f, 'EHLO client.home.arpa')
    return f


def ask(f, line):
    f.write(line.encode() + b'\r\n')
    while True:
        reply = f.readline()
        if reply[3:4] != b'-':
            return reply


def b64(text):
    return base64.b64encode(text).decode()


# The seconds of the answer that matters, and its text.
def plain(user):
    f = session()
    begin = time.perf_counter()
    reply = ask(f, 'AUTH PLAIN ' + b64(b'\0' + user.encode() + b'\0wrong'))
    return time.perf_counter() - begin, reply


def scram(user):
    f = session()
    begin = time.perf_counter()
    reply = ask(f, 'AUTH SCRAM-SHA-256 ' + b64(b'n,,n=' + user.encode() + b',r=abcdefgh'))
    first = base64.b64decode(reply[4:])
    nonce = first.split(b',')[0]
    reply = ask(f, b64(b'c=biws,' + nonce + b',p=' + base64.b64encode(b'\0' * 32)))
    return time.perf_counter() - begin, reply


def lane(tried, count, times, texts):
    for i in range(count):
        # Neither kind always comes first.
        for kind in (list(kinds) if i % 2 else reversed(list(kinds))):
            took, reply = tried(kinds[kind])
            times[kind].append(took * 1000)
            texts[kind].add(reply)


bad = 0
for name, tried in (('PLAIN', plain), ('SCRAM-SHA-256', scram)):
    times, texts = {k: [] for k in kinds}, {k: set() for k in kinds}
    threads = [threading.Thread(target=lane, args=(tried, samples // lanes, times, texts)) for _ in range(lanes)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    medians = {}
    for kind in kinds:
        q = statistics.quantiles(times[kind], n=4)
        medians[kind] = q[1]
        print('%-14s %-27s %5d samples  median %8.3f ms  quartiles %8.3f %8.3f' % (name, kind, len(times[kind]), q[1], q[0], q[2]))
    a, b = medians.values()
    print('%-14s difference of the medians %.3f ms' % (name, a - b))
    if len(set().union(*texts.values())) != 1:
        print(name, 'answers differ:', texts)
        bad = 1
sys.exit(bad)
