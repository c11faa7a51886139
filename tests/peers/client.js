// nodemailer as a client: port, file, recipient.
const fs = require('fs');
const nodemailer = require('nodemailer');

const [port, path, recipient] = process.argv.slice(2);
const transport = nodemailer.createTransport({host: '127.0.0.1', port: Number(port), name: 'client.home.arpa', secure: false, ignoreTLS: true});
transport.sendMail({envelope: {from: 'stranger@example.org', to: [recipient]}, raw: fs.readFileSync(path)}, (error, info) => {
    if (error || info.rejected.length !== 0) {
        console.error(error || info);
        process.exit(1);
    }
    transport.close();
});
