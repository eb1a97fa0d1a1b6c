// Who sent messages, as mailauth sees it. In comes a list of {message, ip, sender, zone}; out goes one of the results, with
// {"sign": …} a message that mailauth signs. Both are JSON; messages are in base64.

import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { authenticate } from "mailauth";
import { dkimSign } from "mailauth/lib/dkim/sign.js";
import { sealMessage } from "mailauth";

const failure = (code) => Object.assign(new Error(code), { code });

const answers = (zone) => async (name, kind) => {
  const found = zone[`${kind} ${name.toLowerCase()}`];
  if (found === "fails") throw failure("ESERVFAIL");
  if (!found?.length) throw failure("ENOTFOUND");
  if (kind === "TXT") return found.map((text) => [text]);
  if (kind === "MX") return found.map((exchange) => ({ exchange, priority: 10 }));
  return found;
};

async function results({ message, ip, sender, zone }) {
  const found = await authenticate(Buffer.from(message, "base64"), {
    ip, sender, helo: "mx.example", mta: "mx.example.net", resolver: answers(zone), disableBimi: true,
  });
  return {
    spf: found.spf?.status?.result ?? "none",
    dkim: found.dkim.results.map((each) => each.status.result),
    dmarc: found.dmarc?.status?.result ?? "none",
    arc: found.arc?.status?.result ?? "none",
  };
}

async function made({ sign, key }) {
  const message = Buffer.from(sign, "base64");
  const signatureData = [{ signingDomain: "example.com", selector: "s", privateKey: key }];
  const { signatures } = await dkimSign(message, { canonicalization: "relaxed/relaxed", signatureData });
  const signed = Buffer.concat([Buffer.from(signatures), message]);
  const seal = { signingDomain: "relay.example", selector: "arc", privateKey: key };
  return { signed: signed.toString("base64"), seal: (await sealMessage(signed, seal)).toString() };
}

const out = [];
for (const one of JSON.parse(readFileSync(0, "utf8"))) out.push(await ("sign" in one ? made(one) : results(one)));
console.log(JSON.stringify(out));
