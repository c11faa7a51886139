# A mail server made of Python's ssl: server.py IDENTITY VERSION [first] [MECHANISM...]; prints its port. It accepts everything.
# Its one user is joe with the password "open sesame"; without a mechanism it offers no AUTH.
import base64
import hmac
import socket
import ssl
import sys
import threading

identity, version, *words = sys.argv[1:]
first = 'first' in words
mechanisms = [word for word in words if word != 'first']
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
context.load_cert_chain(identity)
user, password = 'joe', 'open sesame'


class Talk:
    def __init__(self, connection):
        self.use(connection)

    def use(self, connection):
        self.connection = connection
        self.file = connection.makefile('rb')

    def say(self, text):
        self.connection.sendall(text.encode() + b'\r\n')

    def line(self):
        line = self.file.readline()
        if not line:
            raise EOFError
        return line.decode().rstrip('\r\n')

    def ask(self, challenge):
        self.say('334 ' + base64.b64encode(challenge).decode())
        return base64.b64decode(self.line())

    def auth(self, words):
        if words[1] == 'PLAIN':
            given = base64.b64decode(words[2]) if len(words) > 2 else self.ask(b'')
            return given == f'\0{user}\0{password}'.encode()
        if words[1] == 'LOGIN':
            return self.ask(b'Username:') == user.encode() and self.ask(b'Password:') == password.encode()
        challenge = b'<1234.5678@mx.peer.test>'
        digest = hmac.new(password.encode(), challenge, 'md5').hexdigest()
        return self.ask(challenge) == f'{user} {digest}'.encode()

    def body(self):
        while self.file.readline() not in (b'.\r\n', b''):
            pass

    def run(self):
        secure = first
        self.say('220 mx.peer.test ESMTP')
        while True:
            words = self.line().split()
            verb = words[0].upper()
            if verb == 'EHLO':
                offers = [] if secure else ['STARTTLS']
                if mechanisms and secure:
                    offers.append('AUTH ' + ' '.join(mechanisms))
                self.say('250-mx.peer.test')
                for offer in offers:
                    self.say('250-' + offer)
                self.say('250 SIZE 1000000')
            elif verb == 'STARTTLS':
                self.say('220 go ahead')
                self.use(context.wrap_socket(self.connection, server_side=True))
                secure = True
            elif verb == 'AUTH':
                self.say('235 2.7.0 welcome' if self.auth(words) else '535 5.7.8 no')
            elif verb == 'DATA':
                self.say('354 go ahead')
                self.body()
                self.say('250 2.0.0 kept')
            elif verb == 'QUIT':
                self.say('221 2.0.0 bye')
                return
            else:
                self.say('250 2.1.0 ok')


def talk(connection):
    try:
        Talk(context.wrap_socket(connection, server_side=True) if first else connection).run()
    except (OSError, EOFError, ValueError):
        pass
    connection.close()


door = socket.create_server(('127.0.0.1', 0))
print(door.getsockname()[1], flush=True)
while True:
    client, _ = door.accept()
    threading.Thread(target=talk, args=(client,), daemon=True).start()
