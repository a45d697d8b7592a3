//! Whether a pattern of CODEOWNERS matches a path, in steps that are counted: a file may be made so
//! that each of its patterns tries everything.

use super::TooMuch;

/// Steps that one file may take: comparisons of a character, and characters of lines. Three
/// megabytes of usual lines take 15 million; so many take some tenths of a second.
pub(super) const MOST_STEPS: usize = 50_000_000;

/// The steps that are left.
pub(super) struct Steps(pub(super) usize);

impl Steps {
    /// As many as one file may take.
    pub(super) fn of_a_file() -> Self {
        Self(MOST_STEPS)
    }

    /// Takes some of them.
    ///
    /// # Errors
    /// There are not so many.
    pub(super) fn take(&mut self, steps: usize) -> Result<(), TooMuch> {
        self.0 = self.0.checked_sub(steps).ok_or(TooMuch)?;
        Ok(())
    }
}

/// Whether a pattern matches a path, given in its parts: as in a gitignore file, in which a name
/// alone stands anywhere and a directory stands for all that is in it.
pub(super) fn matches(pattern: &str, path: &[&str], steps: &mut Steps) -> Result<bool, TooMuch> {
    let mut segments: Vec<&str> = pattern.split('/').collect();
    let is_rooted = segments.first() == Some(&"");
    if is_rooted {
        segments.remove(0);
    }
    // `/` alone means nothing.
    if segments.iter().all(|segment| segment.is_empty()) {
        return Ok(false);
    }
    let is_name = segments.len() == 1 || (segments.len() == 2 && segments[1].is_empty());
    if !is_rooted && is_name && segments[0] != "**" {
        segments.insert(0, "**");
    }
    if let Some(last) = segments.last_mut()
        && last.is_empty()
    {
        *last = "**";
    }
    matches_segments(&segments, path, steps)
}

/// Puts what stands between `**` as far left as it goes, one after the other: where that leads
/// nowhere, nothing further right does.
fn matches_segments(segments: &[&str], path: &[&str], steps: &mut Steps) -> Result<bool, TooMuch> {
    let mut runs: Vec<&[&str]> = segments.split(|segment| *segment == "**").collect();
    let (Some(last), is_anchored) = (runs.pop(), runs.is_empty()) else { return Ok(false) };
    // Parts of the path that the runs so far have taken.
    let mut taken = 0;
    for (at, run) in runs.into_iter().enumerate() {
        match find_run(run, &path[taken..], at == 0, steps)? {
            Some(end) => taken += end,
            None => return Ok(false),
        }
    }
    let rest = &path[taken..];
    match last.last() {
        // `**` at the end stands for everything inside, so for one part at least.
        None => Ok(!rest.is_empty()),
        // `docs/*` is what is right in docs, and nothing deeper.
        Some(&"*") => match rest.len().checked_sub(last.len()) {
            Some(before) if before == 0 || !is_anchored => Ok(find_run(last, &rest[before..], true, steps)?.is_some()),
            _ => Ok(false),
        },
        // A name at the end is a file, or a directory with all that is in it.
        Some(_) => Ok(find_run(last, rest, is_anchored, steps)?.is_some()),
    }
}

/// Where the first place of a run of segments ends in a path; of an anchored run only the place at
/// its beginning counts.
fn find_run(run: &[&str], path: &[&str], is_anchored: bool, steps: &mut Steps) -> Result<Option<usize>, TooMuch> {
    let Some(spare) = path.len().checked_sub(run.len()) else { return Ok(None) };
    for start in 0..=if is_anchored { 0 } else { spare } {
        let mut all = true;
        for (segment, part) in run.iter().zip(&path[start..]) {
            all = matches_part(segment.as_bytes(), part.as_bytes(), steps)?;
            if !all {
                break;
            }
        }
        if all {
            return Ok(Some(start + run.len()));
        }
    }
    Ok(None)
}

/// Whether one part of a path is as a segment says: `*` is any characters, `?` is one, a backslash
/// takes the next literally.
fn matches_part(segment: &[u8], part: &[u8], steps: &mut Steps) -> Result<bool, TooMuch> {
    // Position after the last star, and where in the part that star's match ends: the only place to
    // go back to.
    let (mut at, mut of, mut star) = (0, 0, None);
    steps.take(1)?;
    while of < part.len() {
        steps.take(1)?;
        let literal = match segment.get(at) {
            Some(b'*') => {
                at += 1;
                star = Some((at, of));
                continue;
            }
            Some(b'?') => {
                (at, of) = (at + 1, after_character(part, of));
                continue;
            }
            // One at the end stands for itself.
            Some(b'\\') => segment.get(at + 1).map_or((b'\\', 1), |next| (*next, 2)),
            Some(byte) => (*byte, 1),
            None => (0, 0),
        };
        if literal.1 > 0 && literal.0 == part[of] {
            (at, of) = (at + literal.1, of + 1);
        } else if let Some((after, end)) = star {
            let end = after_character(part, end);
            (at, of, star) = (after, end, Some((after, end)));
        } else {
            return Ok(false);
        }
    }
    steps.take(segment.len() - at)?;
    Ok(segment[at..].iter().all(|byte| *byte == b'*'))
}

/// Where the character that begins here ends.
fn after_character(text: &[u8], at: usize) -> usize {
    let is_inside = |byte: &&u8| **byte & 0b1100_0000 == 0b1000_0000;
    at + 1 + text[at + 1..].iter().take_while(is_inside).count()
}
