//! Messages as the crate mail-parser sees them: one message a line in base64 comes in, one view a
//! line in JSON goes out.

use base64::{engine::general_purpose::STANDARD, Engine};
use mail_parser::{Address, Message, MessageParser, MessagePart, MimeHeaders, PartType};
use serde_json::{json, Value};
use std::io::{self, BufRead, Write};
use std::panic::{catch_unwind, set_hook};

fn people(address: Option<&Address>) -> Value {
    let all = address.into_iter().flat_map(|list| list.iter());
    all.map(|one| json!([one.address().unwrap_or("").to_lowercase(), one.name().unwrap_or("")])).collect()
}

fn media_type(part: &MessagePart) -> String {
    part.content_type().map_or(String::new(), |kind| match kind.subtype() {
        Some(subtype) => format!("{}/{}", kind.ctype(), subtype),
        None => kind.ctype().to_string(),
    })
}

fn view(message: &Message) -> Value {
    let mut texts = Vec::new();
    for part in message.text_bodies() {
        if let PartType::Text(text) = &part.body {
            texts.push(text.to_string());
        }
    }
    let mut pages = Vec::new();
    for part in message.html_bodies() {
        if let PartType::Html(html) = &part.body {
            pages.push(html.to_string());
        }
    }
    let attachments: Vec<Value> = message
        .attachments()
        .map(|part| json!([media_type(part), part.attachment_name(), STANDARD.encode(part.contents())]))
        .collect();
    json!({
        "subject": message.subject(),
        "from": people(message.from()),
        "to": people(message.to()),
        "cc": people(message.cc()),
        "bcc": people(message.bcc()),
        "date": message.date().map(|date| date.to_timestamp()).and_then(utc),
        "messageId": message.message_id(),
        "text": texts.join("\n"),
        "html": pages.join("\n"),
        "attachments": attachments,
    })
}

fn utc(seconds: i64) -> Option<String> {
    Some(mail_parser::DateTime::from_timestamp(seconds).to_rfc3339())
}

fn main() -> io::Result<()> {
    let parser = MessageParser::default();
    set_hook(Box::new(|_| ()));
    for line in io::stdin().lock().lines() {
        let raw = STANDARD.decode(line?).expect("base64");
        let parsed = catch_unwind(|| parser.parse(&raw).map(|message| view(&message)));
        let answer = parsed.ok().flatten().unwrap_or(json!({"failed": "nothing, or a panic"}));
        writeln!(io::stdout(), "{answer}")?;
    }
    Ok(())
}
