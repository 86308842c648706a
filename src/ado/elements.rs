//! Finds the elements of an array within a JSON object while the object arrives, so that a page of any size is read in the
//! memory of its largest element.
//!
//! Only boundaries are found here: strings, escapes and nesting. What an element says is serde's business, and so is whether
//! it is JSON at all. A tokenizer that is fed by chunks would look at every value twice.

use memchr::memchr2;

/// Deepest nesting, as `serde_json` has it.
const MAX_DEPTH: usize = 128;
/// Most bytes of a page besides its elements.
pub(super) const MAX_FRAME: usize = 64 * 1024;
/// How much is kept of the beginning of an element over the limit.
const MAX_BEGINNING: usize = 1024;
/// Memory that is kept from one element to the next.
const KEPT_BUFFER: usize = 64 * 1024;

/// A text that is no JSON object of bounded depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// No JSON, cut off, or nested too deeply.
    NotJson,
    /// Over [`MAX_FRAME`] bytes besides the elements.
    FrameTooLarge,
}

/// What was found in the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// The text of a whole element.
    Element(&'a [u8]),
    /// The beginning of an element over the limit, whose rest was skipped.
    TooLarge(&'a [u8]),
}

/// Where the text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Outside of the array.
    Frame,
    /// In the array, where an element must follow; the array may also end here if it has none yet.
    BeforeElement { may_end: bool },
    /// Within an element.
    Element,
    /// Behind an element, where a comma or the end of the array must follow.
    BehindElement,
}

/// A text that is handed over in chunks, of which the array of one member is taken apart.
#[derive(Debug)]
pub(super) struct Elements {
    limit: usize,
    place: Place,
    frame: Frame,
    depths: Depths,
    /// The element so far, where it began in an earlier chunk.
    buffer: Vec<u8>,
    /// Whether the element is over the limit, so that only its end is looked for.
    is_skipped: bool,
}

impl Elements {
    /// Elements of the array in `member`, each of at most `limit` bytes.
    pub(super) fn new(member: &str, limit: usize) -> Self {
        Self {
            limit,
            place: Place::Frame,
            frame: Frame::new(member),
            depths: Depths::default(),
            buffer: Vec::new(),
            is_skipped: false,
        }
    }

    /// The next element that ends in `chunk`, which is shortened by what was read; none if the chunk is used up.
    pub(super) fn next<'a, 'c: 'a>(&'a mut self, chunk: &mut &'c [u8]) -> Result<Option<Found<'a>>, Broken> {
        if self.place != Place::Element {
            self.forget();
        }
        while let Some(&byte) = chunk.first() {
            match self.place {
                Place::Element => {
                    if let Some(length) = self.depths.end(chunk)? {
                        let (last, rest) = chunk.split_at(length);
                        *chunk = rest;
                        self.place = Place::BehindElement;
                        return Ok(Some(self.whole(last)));
                    }
                    self.keep(chunk);
                    *chunk = &[];
                }
                Place::BeforeElement { .. } if !is_space(byte) && !matches!(byte, b',' | b':' | b']' | b'}') => {
                    self.depths = Depths::default();
                    self.place = Place::Element;
                }
                place => {
                    self.place = self.between(place, byte)?;
                    *chunk = &chunk[1..];
                }
            }
        }
        Ok(None)
    }

    /// The object without the elements, once all of it was handed over. Whether it is JSON is still to be seen.
    pub(super) fn finish(self) -> Result<Vec<u8>, Broken> {
        if self.place == Place::Frame { Ok(self.frame.text) } else { Err(Broken::NotJson) }
    }

    /// Takes a byte that belongs to no element.
    fn between(&mut self, place: Place, byte: u8) -> Result<Place, Broken> {
        match (place, byte) {
            (Place::Frame, _) => {
                let is_array = self.frame.push(byte)?;
                Ok(if is_array { Place::BeforeElement { may_end: true } } else { Place::Frame })
            }
            (place, byte) if is_space(byte) => Ok(place),
            (Place::BehindElement, b',') => Ok(Place::BeforeElement { may_end: false }),
            (Place::BehindElement | Place::BeforeElement { may_end: true }, b']') => {
                self.frame.push(byte)?;
                Ok(Place::Frame)
            }
            _ => Err(Broken::NotJson),
        }
    }

    /// Keeps a part of an element that goes on in the next chunk.
    fn keep(&mut self, part: &[u8]) {
        self.is_skipped |= self.buffer.len() + part.len() > self.limit;
        let most = if self.is_skipped { MAX_BEGINNING } else { self.limit };
        self.buffer.truncate(most);
        let room = most - self.buffer.len();
        self.buffer.extend_from_slice(&part[..part.len().min(room)]);
        if self.is_skipped {
            self.buffer.shrink_to(KEPT_BUFFER);
        }
    }

    /// The element that ends with `last`.
    fn whole<'a>(&'a mut self, last: &'a [u8]) -> Found<'a> {
        if self.buffer.is_empty() && last.len() <= self.limit {
            return Found::Element(last);
        }
        self.keep(last);
        if self.is_skipped { Found::TooLarge(&self.buffer) } else { Found::Element(&self.buffer) }
    }

    fn forget(&mut self) {
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_BUFFER);
        self.is_skipped = false;
    }
}

/// How deep a text is in objects and arrays at some place, and whether that is within a string.
#[derive(Debug, Default)]
struct Depths {
    depth: usize,
    in_string: bool,
    is_escaped: bool,
}

impl Depths {
    /// Length of the part of `text` that still belongs to the value, if that ends there.
    fn end(&mut self, text: &[u8]) -> Result<Option<usize>, Broken> {
        let mut at = 0;
        while let Some(&byte) = text.get(at) {
            // A number or a word ends where something else begins.
            if !self.in_string && self.depth == 0 && (is_space(byte) || matches!(byte, b',' | b']' | b'}')) {
                return Ok(Some(at));
            }
            at += self.step(&text[at..])?;
            if !self.in_string && self.depth == 0 && matches!(text[at - 1], b'"' | b'}' | b']') {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Takes one byte, or what is there of a string's rest; tells how many bytes that is.
    fn step(&mut self, text: &[u8]) -> Result<usize, Broken> {
        if self.in_string {
            return Ok(self.end_of_string(text).unwrap_or(text.len()));
        }
        match text[0] {
            b'"' => self.in_string = true,
            b'{' | b'[' if self.depth == MAX_DEPTH => return Err(Broken::NotJson),
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.checked_sub(1).ok_or(Broken::NotJson)?,
            _ => {}
        }
        Ok(1)
    }

    /// Length of a string's rest with its quotation mark, if that is there.
    fn end_of_string(&mut self, text: &[u8]) -> Option<usize> {
        let mut at = usize::from(std::mem::take(&mut self.is_escaped));
        while let Some(found) = memchr2(b'"', b'\\', text.get(at..)?) {
            at += found + 1;
            if text[at - 1] == b'"' {
                self.in_string = false;
                return Some(at);
            }
            // The byte behind a backslash is never the end; it may be in the next chunk.
            self.is_escaped = at == text.len();
            at += 1;
        }
        None
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The object around the array, with an empty array in its place.
#[derive(Debug)]
struct Frame {
    /// The member's name in quotation marks.
    member: Vec<u8>,
    text: Vec<u8>,
    depths: Depths,
    /// Where the last string began.
    string: usize,
    /// Whether the member's value comes next.
    is_member: bool,
}

impl Frame {
    fn new(member: &str) -> Self {
        let member = format!("\"{member}\"").into_bytes();
        Self { member, text: Vec::new(), depths: Depths::default(), string: 0, is_member: false }
    }

    /// Takes a byte; true if it opens the array.
    fn push(&mut self, byte: u8) -> Result<bool, Broken> {
        if self.text.len() == MAX_FRAME {
            return Err(Broken::FrameTooLarge);
        }
        self.text.push(byte);
        let in_string = self.depths.in_string;
        self.depths.step(&[byte])?;
        match byte {
            _ if in_string => {}
            b'"' => self.string = self.text.len() - 1,
            b':' => self.is_member = self.depths.depth == 1 && self.text[self.string..].starts_with(&self.member),
            b'[' => return Ok(std::mem::take(&mut self.is_member)),
            b'{' | b',' => self.is_member = false,
            _ => {}
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests;
