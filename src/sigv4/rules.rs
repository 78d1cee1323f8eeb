/// Where a session token travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenName {
    /// `X-Amz-Security-Token`: everywhere but below.
    Security,
    /// `x-amz-s3session-token`: requests under an S3 Express session (`CreateSession`).
    S3Session,
}

impl TokenName {
    /// The header's name, lower case.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Security => "x-amz-security-token",
            Self::S3Session => "x-amz-s3session-token",
        }
    }

    /// The query parameter's name.
    pub const fn param(self) -> &'static str {
        match self {
            Self::Security => "X-Amz-Security-Token",
            Self::S3Session => "X-Amz-S3session-Token",
        }
    }
}

/// What differs between services when a request is canonicalised and signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Escape the path of the wire once more. Otherwise it is unescaped and escaped once.
    pub double_encode: bool,
    /// Remove dot segments and empty segments from the path.
    pub normalize_path: bool,
    /// The session token is part of what is signed. Otherwise it is added afterwards.
    pub token_signed: bool,
    /// Where the session token travels.
    pub token_name: TokenName,
    /// `x-amz-content-sha256` must be there: it is added where the request has none.
    pub content_sha256: bool,
    /// `content-length` is never signed, even if the client had signed it.
    pub length_unsigned: bool,
}

impl Rules {
    /// The rules of every service that has none of its own.
    pub const COMMON: Self = Self {
        double_encode: true,
        normalize_path: true,
        token_signed: true,
        token_name: TokenName::Security,
        content_sha256: false,
        length_unsigned: false,
    };

    /// The rules of the S3 family: keys may contain `//`, `.` and `..`, so paths are not
    /// normalised, and they are escaped once (S3 API reference, "Signature calculations").
    pub const S3: Self = Self {
        double_encode: false,
        normalize_path: false,
        content_sha256: true,
        ..Self::COMMON
    };

    /// The rules by the signing name, which is the service of the credential scope.
    pub fn for_signing_name(name: &str) -> Self {
        match name {
            _ if is_s3(name) => Self::S3,
            // OpenSearch Serverless refuses a signed content-length.
            "aoss" => Self {
                content_sha256: true,
                length_unsigned: true,
                ..Self::COMMON
            },
            "iotdevicegateway" => Self {
                token_signed: false,
                ..Self::COMMON
            },
            _ => Self::COMMON,
        }
    }
}

/// The signing names whose rule sets carry `disableDoubleEncoding`.
pub(crate) fn is_s3(signing_name: &str) -> bool {
    matches!(
        signing_name,
        "s3" | "s3express" | "s3-outposts" | "s3-object-lambda"
    )
}
