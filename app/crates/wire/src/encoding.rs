//! Decompression of request bodies, streamed under a limit on what comes out.

use crate::WireError;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::borrow::Cow;
use std::io::Read;

/// Largest request body that is read, in bytes as sent. An envelope may carry attachments beside
/// its event (they are dropped), and browsers and Rust send uncompressed, so it is no smaller than
/// [`MAX_DECODED`].
pub const MAX_BODY: usize = 8 * 1024 * 1024;

/// Largest body after decompression, in bytes. A Python event with one 2 MB local variable is 5 kB
/// on the wire and 2.1 MB in JSON (clients no longer cut strings): 4 MB would keep it, twice that
/// leaves room for an attachment, and a few such requests at a time do not fill a small server.
pub const MAX_DECODED: usize = 8 * 1024 * 1024;

/// Most memory set aside on a sender's word, in bytes: gzip's trailer says how long the content is,
/// but anyone can write one.
const MAX_PRESIZED: usize = 1024 * 1024;

/// What a deflated text is assumed to grow by where its length is not written down: real events
/// grow 3 to 8 times.
const USUAL_RATIO: usize = 6;

/// Buffer of the brotli decoder, in bytes: typical bodies are 2 to 6 kB, so that one or two reads
/// do.
const BROTLI_BUFFER: usize = 8 * 1024;

/// Largest window of a zstd frame, in bytes: the 8 MiB that RFC 8878 recommends to support, since
/// it is allocated at once.
const MAX_WINDOW: u64 = 8 * 1024 * 1024;

/// Decompresses `body` by its `Content-Encoding` (`None`, empty or `identity`: borrowed as it is),
/// to at most `limit` bytes.
///
/// `gzip` may have several members. `deflate` is the zlib format, as the HTTP specification has it
/// and raven sends it; raw deflate is taken as well, because many clients mistake the one for the
/// other.
///
/// # Errors
/// [`WireError::UnknownEncoding`], [`WireError::TooLarge`] as soon as the limit is passed,
/// [`WireError::Malformed`] for bytes that are cut off or are not in the format named.
pub fn decode<'a>(encoding: Option<&str>, body: &'a [u8], limit: usize) -> Result<Cow<'a, [u8]>, WireError> {
    let named = encoding.unwrap_or("").trim();
    let mut names = named
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty() && name != "identity");
    let name = names.next();
    if names.next().is_some() {
        // Nothing that reports errors compresses twice; only an attack would.
        return Err(WireError::UnknownEncoding(named.to_owned()));
    }
    match name.as_deref() {
        None if body.len() > limit => Err(WireError::TooLarge { limit }),
        None => Ok(Cow::Borrowed(body)),
        Some("gzip" | "x-gzip") => read("gzip", MultiGzDecoder::new(body), gzip_length(body), limit),
        Some("deflate") => deflate(body, limit),
        Some("br") => {
            let decoder = brotli_decompressor::Decompressor::new(body, BROTLI_BUFFER);
            read("brotli", decoder, body.len().saturating_mul(USUAL_RATIO), limit)
        }
        Some("zstd") => zstd(body, limit),
        Some(_) => Err(WireError::UnknownEncoding(named.to_owned())),
    }
}

/// The length that gzip's trailer claims (RFC 1952: ISIZE, the last four bytes, little-endian).
fn gzip_length(body: &[u8]) -> usize {
    body.last_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize)
}

/// Zlib where the first two bytes are its header (RFC 1950: method 8, a multiple of 31), raw
/// deflate otherwise or after all.
fn deflate(body: &[u8], limit: usize) -> Result<Cow<'static, [u8]>, WireError> {
    let guess = body.len().saturating_mul(USUAL_RATIO);
    let looks_like_zlib = matches!(body, [first, second, ..]
        if first & 0x0f == 8 && u16::from_be_bytes([*first, *second]).is_multiple_of(31));
    let raw = || read("deflate", DeflateDecoder::new(body), guess, limit);
    if !looks_like_zlib {
        return raw();
    }
    match read("deflate", ZlibDecoder::new(body), guess, limit) {
        Err(error @ WireError::Malformed { .. }) => raw().map_err(|_| error),
        other => other,
    }
}

/// One or more zstd frames, one after the other, as the format allows.
fn zstd(body: &[u8], limit: usize) -> Result<Cow<'static, [u8]>, WireError> {
    let mut rest = body;
    let mut decoded = Vec::new();
    while !rest.is_empty() || decoded.is_empty() {
        let decoder = ruzstd::decoding::StreamingDecoder::new_with_max_window_size(&mut rest, MAX_WINDOW)
            .map_err(|error| WireError::malformed(format!("the body is not valid zstd: {error}")))?;
        let guess = body.len().saturating_mul(USUAL_RATIO);
        let frame = read("zstd", decoder, guess, limit - decoded.len()).map_err(|error| {
            if let WireError::TooLarge { .. } = error { WireError::TooLarge { limit } } else { error }
        })?;
        decoded.extend_from_slice(&frame);
        if frame.is_empty() {
            break;
        }
    }
    Ok(Cow::Owned(decoded))
}

/// Reads all that `decoder` gives, as long as it is at most `limit` bytes.
fn read(name: &str, decoder: impl Read, expected: usize, limit: usize) -> Result<Cow<'static, [u8]>, WireError> {
    let mut decoded = Vec::with_capacity(expected.min(limit).min(MAX_PRESIZED));
    // One byte more than allowed is enough to know.
    decoder
        .take(limit as u64 + 1)
        .read_to_end(&mut decoded)
        .map_err(|error| WireError::malformed(format!("the body is not valid {name}: {error}")))?;
    if decoded.len() > limit {
        return Err(WireError::TooLarge { limit });
    }
    Ok(Cow::Owned(decoded))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;

    const TEXT: &[u8] = b"{\"exception\":{}} {\"exception\":{}} {\"exception\":{}}";

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn reads_gzip_with_several_members() {
        let body = [gzip(TEXT), gzip(TEXT)].concat();
        assert_eq!(decode(Some("gzip"), &body, 1_000).unwrap().as_ref(), [TEXT, TEXT].concat());
        assert_eq!(decode(Some(" GZIP , identity"), &gzip(TEXT), 1_000).unwrap().as_ref(), TEXT);
    }

    #[test]
    fn reads_deflate_with_and_without_zlib_header() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(TEXT).unwrap();
        assert_eq!(decode(Some("deflate"), &zlib.finish().unwrap(), 1_000).unwrap().as_ref(), TEXT);
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(TEXT).unwrap();
        assert_eq!(decode(Some("deflate"), &raw.finish().unwrap(), 1_000).unwrap().as_ref(), TEXT);
    }

    #[test]
    fn reads_zstd_frames() {
        let one = ruzstd::encoding::compress_to_vec(TEXT, ruzstd::encoding::CompressionLevel::Fastest);
        assert_eq!(decode(Some("zstd"), &one, 1_000).unwrap().as_ref(), TEXT);
        let two = [one.clone(), one.clone()].concat();
        assert_eq!(decode(Some("zstd"), &two, 1_000).unwrap().as_ref(), [TEXT, TEXT].concat());
        assert_eq!(decode(Some("zstd"), &two, TEXT.len() + 1), Err(WireError::TooLarge { limit: TEXT.len() + 1 }));
    }

    #[test]
    fn plain_bodies_are_borrowed() {
        for encoding in [None, Some(""), Some("identity")] {
            assert!(matches!(decode(encoding, TEXT, 1_000).unwrap(), Cow::Borrowed(TEXT)));
        }
        assert_eq!(decode(None, TEXT, 3), Err(WireError::TooLarge { limit: 3 }));
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = gzip(&vec![b'a'; 3_000_000]);
        assert!(bomb.len() < 5_000);
        assert_eq!(decode(Some("gzip"), &bomb, 1_000_000), Err(WireError::TooLarge { limit: 1_000_000 }));
        assert_eq!(decode(Some("gzip"), &bomb, 3_000_000).unwrap().len(), 3_000_000);
    }

    #[test]
    fn says_what_is_wrong() {
        let cut = gzip(TEXT);
        let error = decode(Some("gzip"), &cut[..cut.len() - 9], 1_000).unwrap_err().to_string();
        assert!(error.starts_with("the body is not valid gzip"), "{error}");
        for encoding in ["gzip", "deflate", "br", "zstd"] {
            for garbage in [&b""[..], b"\xff\xfe\xfd not compressed at all"] {
                assert!(
                    matches!(decode(Some(encoding), garbage, 1_000), Err(WireError::Malformed { .. })),
                    "{encoding} {garbage:?}"
                );
            }
        }
        for unknown in ["compress", "gzip, gzip"] {
            assert_eq!(decode(Some(unknown), TEXT, 1_000), Err(WireError::UnknownEncoding(unknown.to_owned())));
        }
    }
}
