//! Decompression, streamed under a limit on what comes out: a few kilobytes can hold gigabytes.

use super::WireError;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::borrow::Cow;
use std::io::Read;

/// Most bytes of a request's body. Attachments and profiles share envelopes with events, and clients bound theirs at 20 MB
/// or less; Sentry's own server takes as much of a compressed envelope.
pub const MAX_BODY: usize = 20 << 20;
/// Most bytes after decompression. Real events of 2.1 MB were recorded (a local variable of 2 MB that shrinks to 5 kB), and
/// a smaller limit would lose them.
pub const MAX_DECODED: usize = 40 << 20;

/// Decodes a body. `encoding` is the Content-Encoding header.
///
/// # Errors
/// The encoding is not known, the bytes are not in it, or more than `limit` bytes come out.
pub fn decode<'a>(encoding: Option<&str>, body: &'a [u8], limit: usize) -> Result<Cow<'a, [u8]>, WireError> {
    let encoding = encoding.unwrap_or("").trim();
    let decoded = match encoding.to_ascii_lowercase().as_str() {
        "" | "identity" => {
            return if body.len() > limit { Err(too_large(limit)) } else { Ok(Cow::Borrowed(body)) };
        }
        "gzip" | "x-gzip" => read(MultiGzDecoder::new(body), gzip_size(body), limit, "gzip"),
        // RFC 9110 means zlib's format by "deflate", and some clients send the bare format all the same.
        "deflate" => match read(ZlibDecoder::new(body), body.len() * 4, limit, "deflate") {
            Err(WireError::Malformed(_)) => read(DeflateDecoder::new(body), body.len() * 4, limit, "deflate"),
            other => other,
        },
        "br" => read(brotli_decompressor::Decompressor::new(body, 4096), body.len() * 4, limit, "br"),
        "zstd" => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(body)
                .map_err(|error| WireError::Malformed(format!("the body is not zstd: {error}")))?;
            read(decoder, body.len() * 4, limit, "zstd")
        }
        _ => return Err(WireError::UnknownEncoding(encoding.to_owned())),
    };
    decoded.map(Cow::Owned)
}

fn too_large(limit: usize) -> WireError {
    WireError::TooLarge { limit, what: "decompressed" }
}

/// The size that gzip's trailer promises: a hint for one allocation, never believed.
fn gzip_size(body: &[u8]) -> usize {
    body.last_chunk::<4>().map_or(0, |size| u32::from_le_bytes(*size) as usize)
}

fn read(from: impl Read, expected: usize, limit: usize, name: &str) -> Result<Vec<u8>, WireError> {
    /// Most that is allocated on a promise.
    const PROMISED: usize = 1 << 20;
    let mut out = Vec::with_capacity(expected.min(PROMISED).min(limit) + 1);
    // One byte beyond the limit tells "just fits" from "too much".
    from.take(limit as u64 + 1)
        .read_to_end(&mut out)
        .map_err(|error| WireError::Malformed(format!("the body is not {name}: {error}")))?;
    if out.len() > limit { Err(too_large(limit)) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).expect("into memory");
        encoder.finish().expect("into memory")
    }

    #[test]
    fn what_was_compressed_comes_out() {
        let mut two = gzip(b"hello ");
        two.extend(gzip(b"world"));
        assert_eq!(decode(Some("GZIP"), &two, 100).expect("gzip").as_ref(), b"hello world");
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(b"hello").expect("into memory");
        assert_eq!(decode(Some("deflate"), &zlib.finish().expect("done"), 100).expect("zlib").as_ref(), b"hello");
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        raw.write_all(b"hello").expect("into memory");
        assert_eq!(decode(Some("deflate"), &raw.finish().expect("done"), 100).expect("raw").as_ref(), b"hello");
        // A zstd frame of one raw block.
        let zstd = [0x28, 0xB5, 0x2F, 0xFD, 0x20, 0x05, 0x29, 0x00, 0x00, b'h', b'e', b'l', b'l', b'o'];
        assert_eq!(decode(Some("zstd"), &zstd, 100).expect("zstd").as_ref(), b"hello");
        assert_eq!(decode(None, b"hello", 5).expect("as it is").as_ref(), b"hello");
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = gzip(&vec![0; 10 << 20]);
        assert!(bomb.len() < 20_000);
        assert_eq!(decode(Some("gzip"), &bomb, 1 << 20), Err(too_large(1 << 20)));
        assert_eq!(decode(None, b"hello!", 5), Err(too_large(5)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(matches!(decode(Some("gzip"), b"hello", 9), Err(WireError::Malformed(why)) if why.contains("gzip")));
        assert!(matches!(decode(Some("br"), b"\xff\xff\xff\xff", 9), Err(WireError::Malformed(_))));
        assert!(matches!(decode(Some("zstd"), b"hello", 9), Err(WireError::Malformed(_))));
        assert!(matches!(decode(Some("rot13"), b"", 9), Err(WireError::UnknownEncoding(_))));
    }
}
