# smtplib as a client: port, file, recipient.
import smtplib
import sys

port, path, recipient = int(sys.argv[1]), sys.argv[2], sys.argv[3]
with open(path, 'rb') as file:
    message = file.read().replace(b'\n', b'\r\n')
client = smtplib.SMTP('127.0.0.1', port, 'client.home.arpa', timeout=120)
client.ehlo_or_helo_if_needed()
beyond = not (recipient.isascii() and message.split(b'\r\n\r\n')[0].isascii())
options = ['SMTPUTF8', 'BODY=8BITMIME'] if beyond else []
if beyond:
    client.command_encoding = 'utf-8'
refused = client.sendmail('stranger@example.org', [recipient], message, mail_options=options)
client.quit()
sys.exit(1 if refused else 0)
