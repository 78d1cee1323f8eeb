//! How a request is signed, with every choice that a signer makes as a field. The default is
//! what AWS computes; a mistake sets a field or two.

use zeroize::Zeroizing;

/// Every choice of a signer.
#[derive(Default)]
pub(super) struct Recipe {
    pub(super) method: Option<String>,
    pub(super) path: PathRecipe,
    pub(super) query: QueryRecipe,
    pub(super) headers: HeaderRecipe,
    pub(super) list: ListRecipe,
    pub(super) payload: PayloadRecipe,
    pub(super) assembly: Assembly,
    pub(super) sts: StsRecipe,
    pub(super) key: KeyRecipe,
    pub(super) last: Last,
}

/// Which parts of signing a mistake touches, so that only those are made again.
pub(super) mod part {
    pub(in super::super) const METHOD: u16 = 1;
    pub(in super::super) const PATH: u16 = 2;
    pub(in super::super) const QUERY: u16 = 4;
    pub(in super::super) const HEADERS: u16 = 8;
    pub(in super::super) const PAYLOAD: u16 = 16;
    pub(in super::super) const ASSEMBLY: u16 = 32;
    pub(in super::super) const STS: u16 = 64;
    pub(in super::super) const KEY: u16 = 128;
    pub(in super::super) const LAST: u16 = 256;
    /// Everything that goes into the canonical request.
    pub(in super::super) const CANONICAL: u16 =
        METHOD | PATH | QUERY | HEADERS | PAYLOAD | ASSEMBLY;
}

/// How bytes are escaped.
#[derive(Clone, Copy, Default)]
pub(super) struct Escape {
    /// Left as they are, beside the unreserved ones.
    pub(super) keep: &'static [u8],
    /// Escaped although they are unreserved.
    pub(super) also: &'static [u8],
    pub(super) space_as_plus: bool,
    pub(super) lower_hex: bool,
}

#[derive(Default)]
pub(super) struct PathRecipe {
    /// Instead of the wire's.
    pub(super) wire: Option<Vec<u8>>,
    pub(super) passes: Passes,
    pub(super) escape: Escape,
    pub(super) layer: Layer,
    pub(super) normal: Normal,
    pub(super) text: Text,
    pub(super) line: PathLine,
}

/// How often the path is escaped.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Passes {
    /// As the service wants it.
    #[default]
    Right,
    /// The wire's path as it is.
    AsSent,
    /// Unescaped, then escaped once.
    Once,
    /// The wire's path escaped once more.
    Twice,
    /// Unescaped.
    Decoded,
}

/// At which of two escapings an odd escape is used.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Layer {
    #[default]
    Outer,
    Inner,
    Both,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Normal {
    #[default]
    Right,
    Kept,
    Full,
    /// `replace("//", "/")`, one pass.
    OnePass,
    SlashesOnly,
    DotsOnly,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Text {
    #[default]
    AsIs,
    Latin1,
    Decomposed,
    Composed,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum PathLine {
    #[default]
    Plain,
    NoLeadingSlash,
    Empty,
    Root,
    WithQuery,
    /// Without the parameters of the signature.
    WithOwnQuery,
    Url,
    UrlWithQuery,
    HttpUrl,
    WithHost,
    SlashAdded,
    SlashDropped,
    Lower,
    LowerHex,
}

#[derive(Default)]
pub(super) struct QueryRecipe {
    /// Instead of the wire's.
    pub(super) wire: Option<Vec<u8>>,
    pub(super) escape: Escape,
    pub(super) passes: QueryPasses,
    pub(super) text: Text,
    pub(super) plus: Plus,
    /// Only this parameter, in lower case, keeps a byte unescaped.
    pub(super) raw_in: Option<(&'static str, u8)>,
    pub(super) sort: Sort,
    pub(super) repeats: QueryRepeats,
    pub(super) empty: Empty,
    pub(super) cut_at_equals: bool,
    pub(super) empty_signature: bool,
    pub(super) line: QueryLine,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum QueryPasses {
    #[default]
    Once,
    Twice,
    Decoded,
}

/// What a bare `+` means.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Plus {
    #[default]
    Space,
    Literal,
    Escaped,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Sort {
    #[default]
    Right,
    AsSent,
    WholePairs,
    Decoded,
    CaseInsensitive,
    NamesOnly,
    /// The authentication parameters behind the others.
    AuthLast,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum QueryRepeats {
    #[default]
    All,
    First,
    Last,
    Comma,
    EscapedComma,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Empty {
    #[default]
    Equals,
    NoEquals,
    Dropped,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum QueryLine {
    #[default]
    Plain,
    QuestionMark,
    Omitted,
    AsInUrl,
    AsInUrlDecoded,
}

#[derive(Default)]
pub(super) struct HeaderRecipe {
    /// Another value, or no line at all, for a signed name.
    pub(super) values: Vec<(String, Option<Vec<u8>>)>,
    /// A line for a header that is not in the list.
    pub(super) extra: Option<String>,
    pub(super) names: Names,
    pub(super) style: Style,
    pub(super) separator: &'static str,
    pub(super) order: Order,
    pub(super) repeats: Repeats,
    pub(super) host_twice: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Names {
    #[default]
    Lower,
    /// As on the wire.
    Wire,
    /// `X-Amz-Date`.
    Title,
}

/// What is done to values.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Style {
    #[default]
    Right,
    RunsKept,
    Untrimmed,
    NoSpaces,
    Lower,
    /// Percent-escaped, keeping these beside the unreserved.
    Escaped(&'static [u8]),
    SpaceBehind,
    SpaceBefore,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Order {
    #[default]
    Right,
    Wire,
    HostFirst,
    HostLast,
    CaseSensitive,
    WholeLines,
    Declared,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Repeats {
    #[default]
    Comma,
    CommaSpace,
    First,
    Last,
    Lines,
    Sorted,
}

#[derive(Default)]
pub(super) struct ListRecipe {
    pub(super) names: Names,
    pub(super) order: Order,
    pub(super) comma: bool,
    pub(super) trailing: bool,
    pub(super) host_twice: bool,
    pub(super) without: Option<String>,
    pub(super) with: Option<String>,
}

#[derive(Default)]
pub(super) struct PayloadRecipe {
    /// Instead of the wire's.
    pub(super) body: Option<Vec<u8>>,
    pub(super) line: PayloadLine,
}

#[derive(Clone, Default, PartialEq, Eq)]
pub(super) enum PayloadLine {
    #[default]
    Right,
    /// A literal.
    Literal(&'static str),
    /// The hash of another text.
    HashOf(Vec<u8>),
    /// The body's true hash, whatever is declared.
    BodyHash,
    Body,
    Md5,
    Sha1,
    Upper,
    Base64,
    Twice,
    Latin1,
    Utf16,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Assembly {
    #[default]
    Right,
    CrLf,
    Cr,
    LiteralN,
    Utf16,
    Latin1,
    LineEndBehind,
    Indented(&'static str),
    NoBlankLine,
    TwoBlankLines,
    NoQueryLine,
    NoListLine,
    NoPayloadLine,
    NoPayloadLineButItsEnd,
    QueryBeforePath,
}

#[derive(Default)]
pub(super) struct StsRecipe {
    pub(super) date: Option<String>,
    pub(super) form: StsForm,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum StsForm {
    #[default]
    Right,
    UsEast1,
    NoTerminator,
    WithKeyId,
    NotHashed,
    HashedTwice,
    UpperHash,
    NoAlgorithm,
    LineEndBehind,
    CrLf,
}

#[derive(Default)]
pub(super) struct KeyRecipe {
    pub(super) secret: Option<Zeroizing<Vec<u8>>>,
    pub(super) derive: Derive,
}

#[derive(Clone, Default, PartialEq, Eq)]
pub(super) enum Derive {
    #[default]
    Right,
    Prefix(&'static str),
    Secret,
    PrefixedSecret,
    NoTerminator,
    Date(String),
    Region(String),
    Service(String),
    ServiceFirst,
    ArgumentsSwapped,
    HexBetween,
    HexEverywhere,
    HexLast,
}

/// The last step.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Last {
    #[default]
    Hmac,
    HmacSha1,
    Concatenated,
    ArgumentsSwapped,
}
