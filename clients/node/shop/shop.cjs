// What the fixtures' tests look at: a shop that mails a code to whoever signs up, and asks for it.
const { randomInt } = require("node:crypto");
const { once } = require("node:events");
const { createServer } = require("node:http");
const { createTransport } = require("nodemailer");

const page = (body) => `<!doctype html><meta charset="utf-8"><title>Shop</title>${body}`;
const FORM = '<form method="post" action="/sign-up"><label>Email <input name="email"></label><button>Sign up</button></form>';
const ASK = '<form method="post" action="/confirm"><label>Code <input name="code"></label><button>Confirm</button></form>';

/** Listens on a free port of the loopback, and gives back the server; `smtpPort` takes its mail. */
async function openShop(smtpPort) {
  const transport = createTransport({ host: "127.0.0.1", port: Number(smtpPort), ignoreTLS: true });
  const waiting = new Map(); // who has signed up, by code

  const answers = {
    "/": () => FORM,
    "/sign-up": async (form) => {
      const code = String(randomInt(100_000, 1_000_000));
      waiting.set(code, form.get("email"));
      const text = `Your sign-in code is ${code}.\n`;
      await transport.sendMail({ from: "shop@shop.example", to: form.get("email"), subject: "Welcome to the shop", text });
      return ASK;
    },
    "/confirm": (form) => `<h1>${waiting.has(form.get("code")) ? `Hello ${waiting.get(form.get("code"))}` : "Wrong code"}</h1>`,
  };
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    const answer = answers[request.url];
    response.writeHead(answer ? 200 : 404, { "Content-Type": "text/html; charset=utf-8" });
    response.end(page(answer ? await answer(new URLSearchParams(Buffer.concat(chunks).toString())) : ""));
  });
  server.listen(Number(process.env.SHOP_PORT ?? 0), "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** Where `server` is. */
function urlOf(server) {
  return `http://127.0.0.1:${server.address().port}`;
}

module.exports = { openShop, urlOf };

if (require.main === module) {
  openShop(process.env.SMTP_PORT ?? 1025).then((server) => console.log(urlOf(server)));
}
