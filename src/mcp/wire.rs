//! Messages on the wire: a line each, and an answer to every request.
//!
//! What can be read is read, mended where clients cut characters or numbers badly. What cannot be read is
//! answered with an error under its id, so that nobody waits for ever; only notifications go unanswered.

use std::io;
use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::decode;

/// Bytes of one message; a longer one is refused without being kept.
const LONGEST: usize = 16 << 20;

const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;

type Message = RxJsonRpcMessage<RoleServer>;

pub struct Wire {
    heard: Receiver<Message>,
    output: Arc<Mutex<File>>,
}

/// What a line is.
enum Heard {
    Message(Box<Message>),
    /// Nothing that anybody waits for an answer to.
    Nothing,
    /// A line that is refused, with the error to send.
    Refused(String),
}

impl Wire {
    /// Begins to listen.
    pub fn new(input: File, output: File) -> Self {
        let output = Arc::new(Mutex::new(output));
        let (told, heard) = channel(16);
        tokio::spawn(listen(BufReader::new(input), told, Arc::clone(&output)));
        Wire { heard, output }
    }
}

impl Transport<RoleServer> for Wire {
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        let output = Arc::clone(&self.output);
        async move {
            let text = serde_json::to_string(&message)?;
            write(&output, text).await
        }
    }

    async fn receive(&mut self) -> Option<Message> {
        self.heard.recv().await
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        self.output.lock().await.flush().await
    }
}

async fn write(output: &Mutex<File>, mut line: String) -> Result<(), io::Error> {
    line.push('\n');
    let mut output = output.lock().await;
    output.write_all(line.as_bytes()).await?;
    output.flush().await
}

/// Hands over what comes in until the client hangs up.
async fn listen(
    mut input: BufReader<impl AsyncRead + Unpin>,
    told: Sender<Message>,
    output: Arc<Mutex<File>>,
) {
    let mut line = Vec::new();
    while let Some(is_whole) = next_line(&mut input, &mut line).await {
        let heard = match is_whole {
            true => read(&line),
            false => refused(INVALID_REQUEST, &format!("a message may have {LONGEST} bytes"), None),
        };
        let is_heard = match heard {
            Heard::Message(message) => told.send(*message).await.is_ok(),
            Heard::Refused(error) => write(&output, error).await.is_ok(),
            Heard::Nothing => true,
        };
        if !is_heard {
            return;
        }
    }
}

/// Reads a line; `false` when it was too long to be kept, `None` at the end.
async fn next_line(input: &mut BufReader<impl AsyncRead + Unpin>, line: &mut Vec<u8>) -> Option<bool> {
    line.clear();
    let mut is_whole = true;
    loop {
        let available = input.fill_buf().await.ok().filter(|bytes| !bytes.is_empty())?;
        let end = available.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(available.len(), |end| end + 1);
        is_whole &= line.len() + taken <= LONGEST;
        match is_whole {
            true => line.extend_from_slice(&available[..taken]),
            false => *line = Vec::new(),
        }
        input.consume(taken);
        if end.is_some() {
            return Some(is_whole);
        }
    }
}

fn read(line: &[u8]) -> Heard {
    // Editors and shells of some systems begin with a byte order mark.
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return Heard::Nothing;
    }
    let value = match decode::lenient(line) {
        Ok(value) => value,
        Err(error) => {
            return refused(PARSE_ERROR, &format!("cannot read the message: {error}"), decode::id(line));
        }
    };
    // A message with an id that is not an answer has a caller waiting for it.
    let has = |name: &str| value.get(name).is_some();
    let is_notification = has("method") && !has("id");
    let is_answer = !has("method") && (has("result") || has("error"));
    let id = decode::id(line);
    match serde_json::from_value(value.clone()) {
        Ok(message) => Heard::Message(Box::new(message)),
        // A notification, or an answer to something else, of a shape of its own.
        Err(_) if is_notification || is_answer => Heard::Nothing,
        Err(_) => refused(INVALID_REQUEST, "this is not a message of JSON-RPC 2.0", id),
    }
}

fn refused(code: i32, message: &str, id: Option<Box<RawValue>>) -> Heard {
    let id = id.map_or_else(|| "null".to_owned(), |id| id.get().to_owned());
    let error = json!({ "code": code, "message": message });
    Heard::Refused(format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn refusal(line: &str) -> (i64, Value) {
        match read(line.as_bytes()) {
            Heard::Refused(error) => {
                let error: Value = serde_json::from_str(&error).unwrap();
                (error["error"]["code"].as_i64().unwrap(), error["id"].clone())
            }
            _ => panic!("{line} was not refused"),
        }
    }

    #[test]
    fn what_cannot_be_read_is_answered_under_its_id() {
        let deep = format!(
            r#"{{"jsonrpc":"2.0","id":3,"method":"x","params":{}{}}}"#,
            "[".repeat(300),
            "]".repeat(300)
        );
        for (line, code, id) in [
            ("nonsense", PARSE_ERROR, Value::Null),
            ("{\"jsonrpc\":", PARSE_ERROR, Value::Null),
            (&deep, PARSE_ERROR, json!(3)),
            ("[]", INVALID_REQUEST, Value::Null),
            ("{\"foo\":1}", INVALID_REQUEST, Value::Null),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"tools/list"}"#, INVALID_REQUEST, json!(1.5)),
            (r#"{"jsonrpc":"2.0","id":71,"method":5}"#, INVALID_REQUEST, json!(71)),
            (r#"{"jsonrpc":"2.0","id":72,"method":null}"#, INVALID_REQUEST, json!(72)),
            (r#"{"jsonrpc":"2.0","id":"a","method":["ping"]}"#, INVALID_REQUEST, json!("a")),
            (r#"{"jsonrpc":"2.0","id":73,"method":5,"result":1}"#, INVALID_REQUEST, json!(73)),
            (r#"{"jsonrpc":"2.0","id":74,"method":"ping","params":{'a':1}}"#, PARSE_ERROR, json!(74)),
            (r#"{"jsonrpc":"2.0","params":{"id":1},"id":"b","method":oops}"#, PARSE_ERROR, json!("b")),
        ] {
            assert_eq!(refusal(line), (i64::from(code), id), "{line}");
        }
        for line in ["", "  ", "\u{feff}", r#"{"jsonrpc":"2.0","id":9,"result":7.5}"#] {
            assert!(matches!(read(line.as_bytes()), Heard::Nothing | Heard::Message(_)), "{line}");
        }
        for badly in [r#"{"a":NaN,"b":[-Infinity,Infinity]}"#, r#"{"a":"C:\x"}"#, r#"{"a":[1,2,],}"#] {
            let call = format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"x","arguments":{badly}}},}}"#
            );
            assert!(matches!(read(call.as_bytes()), Heard::Message(_)), "{call}");
        }
        let cut = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"a":"\ud83c"}}}"#;
        assert!(matches!(read(cut.as_bytes()), Heard::Message(_)));
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_passed_over_and_the_next_one_read() {
        let long = [vec![b'x'; LONGEST + 5], b"\nnext\n".to_vec()].concat();
        let mut input = BufReader::new(long.as_slice());
        let mut line = Vec::new();
        assert_eq!(next_line(&mut input, &mut line).await, Some(false));
        assert_eq!(
            (next_line(&mut input, &mut line).await, line.as_slice()),
            (Some(true), b"next\n".as_slice())
        );
        assert_eq!(next_line(&mut input, &mut line).await, None);
    }
}
