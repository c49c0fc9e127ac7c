//! The transport: one JSON message per line.
//!
//! Common JSON mistakes of clients are repaired. A request that cannot be read is answered with an error under
//! its id, so that no client waits forever; only notifications get no response.

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

/// Maximum message size in bytes. Longer ones are rejected without being buffered.
const MAX_MESSAGE: usize = 16 << 20;

const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;

type ClientMessage = RxJsonRpcMessage<RoleServer>;

pub struct Wire {
    incoming: Receiver<ClientMessage>,
    output: Arc<Mutex<File>>,
}

/// The content of a line.
enum Incoming {
    Message(Box<ClientMessage>),
    /// Expects no response.
    Ignored,
    /// The error response to send.
    Rejected(String),
}

impl Wire {
    /// Starts listening.
    pub fn new(input: File, output: File) -> Self {
        let output = Arc::new(Mutex::new(output));
        let (sender, incoming) = channel(16);
        tokio::spawn(listen(BufReader::new(input), sender, Arc::clone(&output)));
        Wire { incoming, output }
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

    async fn receive(&mut self) -> Option<ClientMessage> {
        self.incoming.recv().await
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

/// Passes on messages until the client disconnects.
async fn listen(
    mut input: BufReader<impl AsyncRead + Unpin>,
    sender: Sender<ClientMessage>,
    output: Arc<Mutex<File>>,
) {
    let mut line = Vec::new();
    while let Some(is_whole) = next_line(&mut input, &mut line).await {
        let incoming = if is_whole {
            read(&line)
        } else {
            rejected(INVALID_REQUEST, &format!("the message is larger than {MAX_MESSAGE} bytes"), None)
        };
        let is_connected = match incoming {
            Incoming::Message(message) => sender.send(*message).await.is_ok(),
            Incoming::Rejected(error) => write(&output, error).await.is_ok(),
            Incoming::Ignored => true,
        };
        if !is_connected {
            return;
        }
    }
}

/// Reads a line; `false` if it was too long, `None` at the end of the input.
async fn next_line(input: &mut BufReader<impl AsyncRead + Unpin>, line: &mut Vec<u8>) -> Option<bool> {
    line.clear();
    let mut is_whole = true;
    loop {
        let available = input.fill_buf().await.ok().filter(|bytes| !bytes.is_empty())?;
        let end = available.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(available.len(), |end| end + 1);
        is_whole &= line.len() + taken <= MAX_MESSAGE;
        if is_whole {
            line.extend_from_slice(&available[..taken]);
        } else {
            *line = Vec::new();
        }
        input.consume(taken);
        if end.is_some() {
            return Some(is_whole);
        }
    }
}

fn read(line: &[u8]) -> Incoming {
    // Some shells write a byte order mark first.
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return Incoming::Ignored;
    }
    let value = match decode::lenient(line) {
        Ok(value) => value,
        Err(error) => {
            return rejected(PARSE_ERROR, &format!("cannot parse the message: {error}"), decode::id(line));
        }
    };
    // Any other message with an id has a caller waiting for its response.
    let has = |name: &str| value.get(name).is_some();
    let is_notification = has("method") && !has("id");
    let is_response = !has("method") && (has("result") || has("error"));
    let id = decode::id(line);
    match serde_json::from_value(value.clone()) {
        Ok(message) => Incoming::Message(Box::new(message)),
        Err(_) if is_notification || is_response => Incoming::Ignored,
        Err(_) => rejected(INVALID_REQUEST, "not a JSON-RPC 2.0 message", id),
    }
}

fn rejected(code: i32, message: &str, id: Option<Box<RawValue>>) -> Incoming {
    let id = id.map_or_else(|| "null".to_owned(), |id| id.get().to_owned());
    let error = json!({ "code": code, "message": message });
    Incoming::Rejected(format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn rejection(line: &str) -> (i64, Value) {
        match read(line.as_bytes()) {
            Incoming::Rejected(error) => {
                let error: Value = serde_json::from_str(&error).unwrap();
                (error["error"]["code"].as_i64().unwrap(), error["id"].clone())
            }
            _ => panic!("{line} was not rejected"),
        }
    }

    #[test]
    fn a_message_that_cannot_be_read_is_answered_under_its_id() {
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
            assert_eq!(rejection(line), (i64::from(code), id), "{line}");
        }
        for line in ["", "  ", "\u{feff}", r#"{"jsonrpc":"2.0","id":9,"result":7.5}"#] {
            assert!(matches!(read(line.as_bytes()), Incoming::Ignored | Incoming::Message(_)), "{line}");
        }
        for arguments in [r#"{"a":NaN,"b":[-Infinity,Infinity]}"#, r#"{"a":"C:\x"}"#, r#"{"a":[1,2,],}"#] {
            let call = format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"x","arguments":{arguments}}},}}"#
            );
            assert!(matches!(read(call.as_bytes()), Incoming::Message(_)), "{call}");
        }
        let cut = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"a":"\ud83c"}}}"#;
        assert!(matches!(read(cut.as_bytes()), Incoming::Message(_)));
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_skipped_and_the_next_one_is_read() {
        let long = [vec![b'x'; MAX_MESSAGE + 5], b"\nnext\n".to_vec()].concat();
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
