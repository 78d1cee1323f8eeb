use super::Document;

/// The six views of one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PaneId {
    /// The head, as received or as sent.
    Request,
    /// The request's body.
    Body,
    /// What came back.
    Return,
    /// What exactly was signed.
    Signing,
    /// Why it failed.
    Why,
    /// How long each step took.
    Timing,
}

impl PaneId {
    /// In the order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::Request,
        Self::Body,
        Self::Return,
        Self::Signing,
        Self::Why,
        Self::Timing,
    ];
    /// Those that stand side by side.
    pub const UPPER: [Self; 3] = [Self::Request, Self::Body, Self::Return];
    /// Those that share a frame below them.
    pub const LOWER: [Self; 3] = [Self::Signing, Self::Why, Self::Timing];

    /// From 0.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The key that opens it.
    pub fn number(self) -> usize {
        self as usize + 1
    }

    /// As on the frame.
    pub fn title(self) -> &'static str {
        match self {
            Self::Request => "FULL REQUEST",
            Self::Body => "FULL BODY",
            Self::Return => "CALL RETURN",
            Self::Signing => "SIGNING",
            Self::Why => "WHY",
            Self::Timing => "TIMING",
        }
    }
}

/// How one pane is looked at.
#[derive(Clone, Debug)]
pub struct Pane {
    /// First line on the screen.
    pub top: usize,
    /// Rows of it that are scrolled away.
    pub skip: usize,
    /// The line that copying takes.
    pub cursor: usize,
    /// Columns scrolled away, without wrapping.
    pub left: usize,
    /// Long lines go on below instead of off the screen.
    pub wrap: bool,
    /// Bodies as they came instead of laid out.
    pub raw: bool,
    /// What is searched for.
    pub needle: String,
    /// Lines that contain it.
    pub found: Vec<usize>,
    /// What it shows; `None` until it comes into sight.
    pub document: Option<Document>,
}

impl Default for Pane {
    fn default() -> Self {
        Self {
            top: 0,
            skip: 0,
            cursor: 0,
            left: 0,
            wrap: true,
            raw: false,
            needle: String::new(),
            found: Vec::new(),
            document: None,
        }
    }
}

impl Pane {
    /// Back to the beginning, for another exchange.
    pub fn rewind(&mut self) {
        (self.top, self.skip, self.cursor, self.left) = (0, 0, 0, 0);
        self.document = None;
    }

    /// Takes what it shows and looks the needle up in it.
    pub fn fill(&mut self, document: Document) {
        self.found = document.search(&self.needle);
        self.document = Some(document);
    }

    fn height(&self, line: usize, width: usize) -> usize {
        self.document
            .as_ref()
            .map_or(1, |document| document.height(line, width, self.wrap))
    }

    fn len(&self) -> usize {
        self.document.as_ref().map_or(0, Document::len)
    }

    /// Moves the cursor by lines; a line taller than the screen is scrolled through first.
    pub fn step(&mut self, lines: isize, (width, height): (usize, usize)) {
        let tall = self.height(self.cursor, width);
        if lines == 1 && self.cursor == self.top && tall > self.skip + height {
            self.skip += 1;
            return;
        }
        if lines == -1 && self.cursor == self.top && self.skip > 0 {
            self.skip -= 1;
            return;
        }
        let last = self.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(lines).min(last);
        self.reveal((width, height));
    }

    /// Puts the cursor on a line.
    pub fn go(&mut self, line: usize, view: (usize, usize)) {
        self.cursor = line.min(self.len().saturating_sub(1));
        self.reveal(view);
    }

    /// Scrolls by rows and takes the cursor along.
    pub fn scroll(&mut self, rows: isize, (width, height): (usize, usize)) {
        for _ in 0..rows.unsigned_abs() {
            if rows > 0 {
                if self.at_end((width, height)) {
                    break;
                }
                self.skip += 1;
                if self.skip >= self.height(self.top, width) {
                    (self.top, self.skip) = (self.top + 1, 0);
                }
            } else if self.skip > 0 {
                self.skip -= 1;
            } else if self.top > 0 {
                self.top -= 1;
                self.skip = self.height(self.top, width) - 1;
            }
        }
        let bottom = self.bottom((width, height));
        self.cursor = self.cursor.clamp(self.top, bottom.max(self.top));
    }

    /// Scrolls sideways, without wrapping.
    pub fn sideways(&mut self, columns: isize) {
        if !self.wrap {
            self.left = self.left.saturating_add_signed(columns).min(8192);
        }
    }

    /// Next or previous line with the needle, around the end.
    pub fn next_match(&mut self, forward: bool, view: (usize, usize)) {
        let found = if forward {
            let next = self.found.iter().find(|&&line| line > self.cursor);
            next.or(self.found.first())
        } else {
            let previous = self.found.iter().rev().find(|&&line| line < self.cursor);
            previous.or(self.found.last())
        };
        if let Some(&line) = found {
            self.go(line, view);
        }
    }

    /// The last line that is in sight.
    pub fn bottom(&self, (width, height): (usize, usize)) -> usize {
        let mut rows = self.height(self.top, width).saturating_sub(self.skip);
        let mut line = self.top;
        while rows < height && line + 1 < self.len() {
            line += 1;
            rows += self.height(line, width);
        }
        line
    }

    fn at_end(&self, (width, height): (usize, usize)) -> bool {
        let mut rows = self.height(self.top, width).saturating_sub(self.skip);
        let mut line = self.top;
        while rows <= height && line + 1 < self.len() {
            line += 1;
            rows += self.height(line, width);
        }
        rows <= height
    }

    /// Scrolls as little as shows the cursor's line, whole if it fits.
    pub fn reveal(&mut self, (width, height): (usize, usize)) {
        let last = self.len().saturating_sub(1);
        self.cursor = self.cursor.min(last);
        self.top = self.top.min(last);
        if self.cursor < self.top || (self.cursor == self.top && self.skip > 0) {
            let tall = self.height(self.cursor, width) > height;
            if self.cursor < self.top || !tall {
                self.skip = 0;
            }
            self.top = self.cursor;
            return;
        }
        let mut room = height.saturating_sub(self.height(self.cursor, width));
        let mut first = self.cursor;
        while first > self.top && room > 0 {
            let above = self.height(first - 1, width);
            if above > room {
                break;
            }
            room -= above;
            first -= 1;
        }
        if first > self.top {
            (self.top, self.skip) = (first, 0);
        }
    }
}
