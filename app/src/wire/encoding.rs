//! Unpacks a request's body, never further than it may become.

use super::WireError;
use brotli_decompressor::BrotliDecoderParameter;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use std::borrow::Cow;
use std::io::{ErrorKind, Read};

/// Bytes that a request's body may have as sent. Events are small, but attachments share the envelope, uncompressed in
/// Node, and refusing them would lose the event: 20 MiB is what Sentry's own servers take of attachments.
pub const MAX_BODY_BYTES: usize = 20 * 1024 * 1024;
/// Bytes that a body may have once unpacked. No less than [`MAX_BODY_BYTES`], as a body may come unpacked; ten times the
/// largest event that was recorded (2 MB, of one local variable).
pub const MAX_UNPACKED_BYTES: usize = 20 * 1024 * 1024;

/// Unpacked bytes for each packed one: what is reserved first. Typical events shrink to a third or an eighth.
const EXPECTED_RATIO: usize = 8;
/// What is reserved at least, and what the limit may be exceeded by while unpacking.
const CHUNK: usize = 16 * 1024;
/// Encodings on top of each other. RFC 9110 allows a list, nobody sends more than one.
const MAX_ENCODINGS: usize = 2;
/// Bytes that a zstd frame may look back. RFC 8878 recommends that decoders take 8 MiB; a frame in one segment names its
/// whole content, up to the limit.
const ZSTD_WINDOW: usize = 8 * 1024 * 1024;

/// Unpacks a body by the request's `Content-Encoding`; borrows where there is nothing to unpack.
///
/// # Errors
/// The encoding is unknown, the body is damaged or cut short, or has more than `limit` bytes once unpacked.
pub fn decode<'a>(encoding: Option<&str>, body: &'a [u8], limit: usize) -> Result<Cow<'a, [u8]>, WireError> {
    let names: Vec<&str> = encoding.unwrap_or("").split(',').map(str::trim).filter(|name| !is_identity(name)).collect();
    if names.len() > MAX_ENCODINGS {
        return Err(WireError::UnknownEncoding(names.join(", ")));
    }
    let mut unpacked = Cow::Borrowed(body);
    // What was applied last is taken off first.
    for name in names.iter().rev() {
        unpacked = Cow::Owned(unpack(name, &unpacked, limit)?);
    }
    if unpacked.len() > limit { Err(WireError::TooLarge { limit }) } else { Ok(unpacked) }
}

/// Unpacks zlib data that came without a `Content-Encoding`, as the oldest clients send it.
///
/// # Errors
/// As [`decode`].
pub(super) fn inflate(body: &[u8], limit: usize) -> Result<Vec<u8>, WireError> {
    if !has_zlib_header(body) {
        return drain("deflate", DeflateDecoder::new(body), body.len(), limit);
    }
    match drain("deflate", ZlibDecoder::new(body), body.len(), limit) {
        // Two bytes of a raw stream may look like a zlib header by chance.
        Err(damaged @ WireError::Damaged { .. }) => {
            drain("deflate", DeflateDecoder::new(body), body.len(), limit).map_err(|_| damaged)
        }
        unpacked => unpacked,
    }
}

fn is_identity(name: &str) -> bool {
    name.is_empty() || name.eq_ignore_ascii_case("identity")
}

fn unpack(name: &str, body: &[u8], limit: usize) -> Result<Vec<u8>, WireError> {
    match name.to_ascii_lowercase().as_str() {
        "gzip" | "x-gzip" => drain("gzip", MultiGzDecoder::new(body), body.len(), limit),
        // RFC 9110 means zlib by it, some clients send the raw stream.
        "deflate" => inflate(body, limit),
        "br" => {
            let mut decoder = brotli_decompressor::Decompressor::new(body, CHUNK);
            // Large windows are no part of the `br` encoding (RFC 7932), and would let a header reserve a gigabyte.
            decoder.set_parameter(BrotliDecoderParameter::BROTLI_DECODER_PARAM_LARGE_WINDOW, 0);
            drain("br", decoder, body.len(), limit)
        }
        "zstd" => unpack_zstd(body, limit),
        _ => Err(WireError::UnknownEncoding(name.to_owned())),
    }
}

/// Frames one after the other, those to be skipped left out (RFC 8878, 3.1).
fn unpack_zstd(mut body: &[u8], limit: usize) -> Result<Vec<u8>, WireError> {
    let damaged = |problem: String| WireError::Damaged { encoding: "zstd", problem };
    let mut unpacked = Vec::new();
    let mut frames = 0;
    while !body.is_empty() || frames == 0 {
        let window = ZSTD_WINDOW.max(limit) as u64;
        match StreamingDecoder::new_with_max_window_size(&mut body, window) {
            Ok(mut decoder) => {
                let frame = drain("zstd", &mut decoder, 0, limit - unpacked.len()).map_err(|error| {
                    if matches!(error, WireError::TooLarge { .. }) { WireError::TooLarge { limit } } else { error }
                })?;
                if frames == 0 {
                    unpacked = frame;
                } else {
                    unpacked.extend_from_slice(&frame);
                }
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                body = body.get(length as usize..).ok_or_else(|| damaged("a frame to skip is cut short".to_owned()))?;
            }
            Err(FrameDecoderError::WindowSizeTooBig { .. }) => return Err(WireError::TooLarge { limit }),
            Err(error) => return Err(damaged(error.to_string())),
        }
        frames += 1;
    }
    Ok(unpacked)
}

/// RFC 1950, 2.2: method 8 in the lower half of the first byte, and both bytes together a multiple of 31.
fn has_zlib_header(body: &[u8]) -> bool {
    matches!(body, [first, second, ..] if first & 0x0f == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0)
}

/// Reads all that comes, with room for no more than `limit` bytes and the one that is too many.
fn drain(encoding: &'static str, mut reader: impl Read, packed: usize, limit: usize) -> Result<Vec<u8>, WireError> {
    let most = limit.saturating_add(1);
    let mut unpacked = vec![0; packed.saturating_mul(EXPECTED_RATIO).max(CHUNK).min(most)];
    let mut filled = 0;
    loop {
        if filled == unpacked.len() {
            if filled > limit {
                return Err(WireError::TooLarge { limit });
            }
            let wanted = filled.saturating_mul(2).min(most);
            unpacked.reserve_exact(wanted - filled);
            unpacked.resize(wanted, 0);
        }
        match reader.read(&mut unpacked[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(WireError::Damaged { encoding, problem: error.to_string() }),
        }
    }
    if filled > limit {
        return Err(WireError::TooLarge { limit });
    }
    unpacked.truncate(filled);
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;

    const PLAIN: &[u8] = b"{\"event_id\":\"1\"} and some more text, text, text, text";
    /// `PLAIN` by `zstd -19`.
    const ZSTD: &[u8] = &[
        0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x35, 0x5d, 0x01, 0x00, 0x44, 0x02, 0x7b, 0x22, 0x65, 0x76, 0x65, 0x6e, 0x74,
        0x5f, 0x69, 0x64, 0x22, 0x3a, 0x22, 0x31, 0x22, 0x7d, 0x20, 0x61, 0x6e, 0x64, 0x20, 0x73, 0x6f, 0x6d, 0x65,
        0x20, 0x6d, 0x6f, 0x72, 0x65, 0x20, 0x74, 0x65, 0x78, 0x74, 0x2c, 0x01, 0x00, 0xcc, 0x5c, 0x9e, 0xb4, 0x01,
        0x02, 0x01,
    ];

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(plain: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn raw(plain: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    /// One block that is not compressed, and the last, empty one (RFC 7932, 9.2).
    fn brotli(plain: &[u8]) -> Vec<u8> {
        let head = (plain.len() as u32 - 1) << 4 | 1 << 20;
        [&head.to_le_bytes()[..3], plain, &[0x03]].concat()
    }

    fn unpacked(encoding: &str, body: &[u8]) -> Vec<u8> {
        decode(Some(encoding), body, MAX_UNPACKED_BYTES).unwrap().into_owned()
    }

    #[test]
    fn every_encoding() {
        for (encoding, body) in [
            ("gzip", gzip(PLAIN)),
            ("GZIP", gzip(PLAIN)),
            ("x-gzip", [gzip(&PLAIN[..10]), gzip(&PLAIN[10..])].concat()),
            ("deflate", zlib(PLAIN)),
            ("deflate", raw(PLAIN)),
            ("br", brotli(PLAIN)),
            ("zstd", ZSTD.to_vec()),
            ("identity", PLAIN.to_vec()),
            ("", PLAIN.to_vec()),
            ("deflate, gzip", gzip(&zlib(PLAIN))),
        ] {
            assert_eq!(unpacked(encoding, &body), PLAIN, "{encoding}");
        }
        let skipped = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        assert_eq!(unpacked("zstd", &[&skipped, ZSTD, &skipped, ZSTD].concat()), [PLAIN, PLAIN].concat());
        assert!(matches!(decode(None, PLAIN, 100), Ok(Cow::Borrowed(PLAIN))));
    }

    #[test]
    fn a_bomb_is_refused_before_it_explodes() {
        let zeros = vec![0; 3_000_000];
        for (encoding, body) in [("gzip", gzip(&zeros)), ("deflate", zlib(&zeros)), ("deflate", raw(&zeros))] {
            assert!(body.len() < 4_000);
            assert_eq!(decode(Some(encoding), &body, 2_999_999), Err(WireError::TooLarge { limit: 2_999_999 }));
            let all = decode(Some(encoding), &body, 3_000_000).unwrap();
            assert_eq!((all.len(), matches!(&all, Cow::Owned(all) if all.capacity() <= 3_000_001)), (3_000_000, true));
        }
        for (encoding, body) in [("br", brotli(PLAIN)), ("zstd", ZSTD.to_vec()), ("identity", PLAIN.to_vec())] {
            assert_eq!(decode(Some(encoding), &body, 20), Err(WireError::TooLarge { limit: 20 }), "{encoding}");
        }
        // A frame that wants 2 GiB of window: magic number, no single segment, window descriptor.
        let window = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0, 0, 0];
        assert_eq!(decode(Some("zstd"), &window, 100), Err(WireError::TooLarge { limit: 100 }));
    }

    #[test]
    fn what_is_damaged_is_refused() {
        for (encoding, body) in
            [("gzip", gzip(PLAIN)), ("deflate", zlib(PLAIN)), ("br", brotli(PLAIN)), ("zstd", ZSTD.to_vec())]
        {
            for end in 0..body.len() {
                let cut = decode(Some(encoding), &body[..end], 1_000);
                assert!(matches!(cut, Err(WireError::Damaged { .. })), "{encoding} cut at {end}: {cut:?}");
            }
            for at in 0..body.len() {
                let mut changed = body.clone();
                changed[at] ^= 0x55;
                // Whatever comes out, nothing breaks.
                let _ = decode(Some(encoding), &changed, 1_000);
            }
        }
        let error = decode(Some("lzma"), PLAIN, 100).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the Content-Encoding `lzma` is not understood: send gzip, deflate, br, zstd or none"
        );
        assert!(matches!(decode(Some("gzip, gzip, gzip"), PLAIN, 100), Err(WireError::UnknownEncoding(_))));
    }
}
