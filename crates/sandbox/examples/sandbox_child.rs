//! A binary that can be its own child, for the tests of this crate.

use std::process::ExitCode;

use bytes::Bytes;

fn dispatch(
    kind: &str,
    request: &[u8],
    file: Bytes,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Vec<u8>, String> {
    let refused = |failed: bool| Ok(if failed { b"refused".to_vec() } else { b"granted".to_vec() });
    match kind {
        "reverse" => {
            progress(1, 2);
            Ok(file.iter().rev().copied().collect())
        }
        "refuse" => Err(String::from_utf8_lossy(request).into_owned()),
        "panic" => panic!("on purpose"),
        "fill" => {
            let mut all: Vec<Vec<u8>> = Vec::new();
            loop {
                all.push(vec![1; 1 << 20]);
            }
        }
        "spin" => {
            let mut number = 1_u64;
            loop {
                number = std::hint::black_box(number.wrapping_mul(3));
            }
        }
        "sleep" => loop {
            std::thread::park();
        },
        "large" => Ok(vec![0; 150 << 20]),
        "open" => refused(std::fs::File::open("/proc/self/stat").is_err()),
        "connect" => refused(std::net::UdpSocket::bind("127.0.0.1:0").is_err()),
        "environment" => Ok(std::env::vars().count().to_string().into_bytes()),
        "process" => Ok(std::process::id().to_string().into_bytes()),
        other => Err(format!("no {other}")),
    }
}

fn main() -> ExitCode {
    preceptor_sandbox::child::run_if_asked(dispatch).unwrap_or(ExitCode::FAILURE)
}
