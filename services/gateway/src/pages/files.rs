//! Styles and scripts. They are part of the binary, so that there is nothing to deploy beside it.

use crate::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

const FILES: [(&str, &str, &str); 7] = [
    ("page.css", STYLE, include_str!("../../static/page.css")),
    ("chat.js", SCRIPT, include_str!("../../static/chat.js")),
    ("citations.js", SCRIPT, include_str!("../../static/citations.js")),
    ("progress.js", SCRIPT, include_str!("../../static/progress.js")),
    ("sign-in.js", SCRIPT, include_str!("../../static/sign-in.js")),
    ("source.js", SCRIPT, include_str!("../../static/source.js")),
    ("times.js", SCRIPT, include_str!("../../static/times.js")),
];

pub(super) async fn serve(Path(file): Path<String>) -> Response {
    match FILES.iter().find(|(name, ..)| *name == file) {
        Some((_, media_type, text)) => {
            ([(header::CONTENT_TYPE, *media_type), (header::CACHE_CONTROL, "public, max-age=300")], *text)
                .into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
