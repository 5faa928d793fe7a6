//! The pages in a real browser, over the demo that a newcomer starts: accessible, usable by keyboard alone, and with the
//! quoted passage in view.
//!
//! Chromium, its driver and axe-core come from the package registries (`cargo xtask infra install`); where one is missing
//! the suite is skipped and counted.

mod chrome;
mod demo;
mod pages;

use std::time::Duration;

use chrome::{Driver, SIZES};
use demo::Demo;
use serde_json::{Value, json};

/// Has its answer on a slide, so that a picture stands above the quoted text.
const ON_A_SLIDE: &str = "How long before a high-risk procedure is the drug omitted?";
/// Pages of different kinds that one role can reach.
const MOST_PAGES: usize = 25;

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_in_a_browser() {
    let Some((driver, axe)) = chrome::tools("the_demo_in_a_browser") else { return };
    let Some(model) = preceptor_testkit::model("the_demo_in_a_browser") else { return };
    let demo = Demo::start(&model).await;
    let driver = Driver::start(&driver).await;
    signing_in_takes_a_click(&driver, &demo).await;
    a_question_and_its_source_by_keyboard_alone(&driver, &demo).await;
    the_quoted_passage_is_in_view(&driver, &demo).await;
    no_page_has_barriers(&driver, &demo, &axe).await;
}

/// A link alone signs no one in: someone else may have sent it.
async fn signing_in_takes_a_click(driver: &Driver, demo: &Demo) {
    let browser = driver.browser(SIZES[0]).await;
    browser.open(demo.link("tara")).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(browser.path().await.starts_with("/sign-in"), "a link that is opened does not sign in by itself");
    browser.click("main form button").await;
    browser.until("the program", "return location.pathname.startsWith('/programs/')").await;
    let secret = browser.run("return location.href").await;
    assert!(!secret.as_str().is_some_and(|url| url.contains('#')), "the secret is taken out of the address");
    browser.close().await;
}

async fn a_question_and_its_source_by_keyboard_alone(driver: &Driver, demo: &Demo) {
    let browser = driver.signed_in(demo.link("visitor"), SIZES[0]).await;
    browser.keys("\u{e004}").await;
    assert_eq!(
        browser.run("return document.activeElement.className").await,
        json!("skip"),
        "the first stop skips to the content"
    );
    browser.keys("/").await;
    assert_eq!(browser.run("return document.activeElement.id").await, json!("question"));
    browser.keys(ON_A_SLIDE).await;
    browser.keys("\u{e007}").await;
    browser
        .until(
            "an answer with a citation",
            "return document.querySelectorAll('#log a.cite').length > 0 && !document.querySelector('#ask button').disabled",
        )
        .await;
    browser.run("document.querySelector('#log a.cite').focus()").await;
    browser.keys("\u{e007}").await;
    browser.until("the source beside it", "return !document.querySelector('#panel').hidden").await;
    browser
        .until(
            "focus in the panel",
            "return document.querySelector('#panel').contains(document.activeElement)",
        )
        .await;
    browser.keys("\u{e00c}").await;
    browser.until("focus back on the citation", "return document.activeElement.matches('#log a.cite')").await;
    browser.close().await;
}

/// Whether the marked words are inside the window and nothing covers them.
const IN_VIEW: &str = "
    const mark = document.querySelector(arguments[0]);
    if (!mark) return 'no mark';
    const box = mark.getClientRects()[0];
    const seen = document.elementFromPoint(box.left + Math.min(box.width / 2, 24), box.top + box.height / 2);
    const inside = box.top >= 0 && box.bottom <= innerHeight && box.left >= 0 && box.left < innerWidth;
    return inside && seen && mark.contains(seen) ? 'in view' : `${Math.round(box.top)} to ${Math.round(box.bottom)} of ${innerHeight}, over it ${seen?.tagName}.${seen?.className}`;";

async fn the_quoted_passage_is_in_view(driver: &Driver, demo: &Demo) {
    for size in SIZES {
        let browser = driver.signed_in(demo.link("nadia"), size).await;
        browser.ask(ON_A_SLIDE).await;
        browser.run("document.querySelector('#log a.cite').click()").await;
        browser
            .until("the panel", "return !document.querySelector('#panel').hidden && document.querySelector('#panel img') !== null")
            .await;
        browser
            .settles_to(&format!("the passage in the panel at {size:?}"), IN_VIEW, "#panel mark", "in view")
            .await;
        let link = browser.run("return document.querySelector('#log a.cite').href").await;
        browser.open(link.as_str().expect("a link")).await;
        browser.until("the picture", "return document.querySelector('.leaf img')?.complete").await;
        browser
            .settles_to(&format!("the passage on the source page at {size:?}"), IN_VIEW, "mark", "in view")
            .await;
        browser.close().await;
    }
}

/// Every kind of page that each role can reach by links, at the widest and the narrowest size.
async fn no_page_has_barriers(driver: &Driver, demo: &Demo, axe: &str) {
    let mut barriers: Vec<String> = Vec::new();
    let mut kinds = std::collections::BTreeSet::new();
    let nobody = driver.browser(SIZES[0]).await;
    barriers.extend(
        pages::visit(&nobody, &demo.url, &["/sign-in", "/reference", "/errors", "/verify"], axe, &mut kinds)
            .await,
    );
    nobody.close().await;
    for role in [
        "visitor", "omar", "pia", "quentin", "rosa", "samuel", "uma", "editor", "reviewer", "auditor",
        "admin",
    ] {
        let browser = driver
            .signed_in(demo.link(role), SIZES[if role == "samuel" || role == "admin" { 2 } else { 0 }])
            .await;
        barriers.extend(pages::crawl(&browser, &demo.url, role, axe, MOST_PAGES, &mut kinds).await);
        browser.close().await;
    }
    assert!(kinds.len() > 15, "the crawl finds the pages: {kinds:?}");
    assert!(barriers.is_empty(), "{} barriers:\n{}", barriers.len(), barriers.join("\n"));
}

/// A value that a script gave, as text.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
