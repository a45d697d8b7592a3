//! The end of a long text: the last traceback is the one that counts.

use std::io::Read;

/// What is kept: as much as the server looks through.
const KEPT: usize = 1 << 20;
/// Read at once.
const PIECE: usize = 64 << 10;

/// The last [`KEPT`] bytes of what was pushed.
#[derive(Debug, Default)]
pub(crate) struct Tail(Vec<u8>);

impl Tail {
    /// Appends, and forgets what is too old. Up to twice as much is kept meanwhile, so that not every piece moves it all.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        if self.0.len() > 2 * KEPT {
            self.0.drain(..self.0.len() - KEPT);
        }
    }

    /// Appends all of a stream.
    pub(crate) fn read(&mut self, mut from: impl Read) -> std::io::Result<()> {
        let mut piece = vec![0; PIECE];
        loop {
            match from.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(read) => self.push(&piece[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The end of the text.
    pub(crate) fn text(&self) -> Vec<u8> {
        self.0[self.0.len().saturating_sub(KEPT)..].to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept_and_no_more() {
        let mut tail = Tail::default();
        for n in 0..50_u8 {
            tail.push(&vec![n; PIECE]);
        }
        let text = tail.text();
        assert_eq!(text.len(), KEPT);
        assert_eq!((text.first(), text.last()), (Some(&34), Some(&49)));
        assert!(tail.0.len() <= 2 * KEPT);
    }
}
