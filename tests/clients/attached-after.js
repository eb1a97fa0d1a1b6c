// The test that Mailsac's manual shows: it begins to wait for the frame when the mailer has said that
// the mail is sent, so a frame that comes before that is missed. Prints how many were, by the way of sending.
const nodemailer = require("nodemailer");
const WebSocket = require("ws");

const { SOCKET, KEY, TO, SMTP_PORT, CAPTURE_PORT, ROUNDS } = process.env;
const PATIENCE_MS = 2000;
const auth = { user: "admin", pass: KEY };
const WAYS = {
  plain: { host: "127.0.0.1", port: SMTP_PORT, ignoreTLS: true },
  starttls: { host: "localhost", port: SMTP_PORT, requireTLS: true },
  auth: { host: "127.0.0.1", port: CAPTURE_PORT, auth },
};

function listening() {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${SOCKET}?key=${KEY}&addresses=${TO}`);
    socket.once("message", (frame) => {
      const told = JSON.parse(frame);
      if (told.status === 200) resolve(socket);
      else reject(new Error(told.msg));
    });
    socket.on("error", reject);
  });
}

async function comes(socket, options, subject) {
  const transport = nodemailer.createTransport(options);
  await transport.sendMail({ from: "ann@a.example", to: TO, subject, text: "hi" });
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, PATIENCE_MS, false);
    socket.on("message", function come(frame) {
      if (JSON.parse(frame).subject !== subject) return;
      clearTimeout(timer);
      socket.off("message", come);
      resolve(true);
    });
  });
}

async function main() {
  const socket = await listening();
  const missed = {};
  for (const [way, options] of Object.entries(WAYS)) {
    missed[way] = 0;
    for (let round = 0; round < Number(ROUNDS); round++) {
      if (!(await comes(socket, options, `${way} ${round}`))) missed[way]++;
    }
  }
  console.log(JSON.stringify(missed));
  socket.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
