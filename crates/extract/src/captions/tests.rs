use super::*;
use crate::tests::budget;

fn read(text: &str, format: Format) -> Extracted {
    extract(text, format, &budget()).expect("captions")
}

fn cues(text: &str, format: Format) -> Vec<(String, Locator)> {
    let extracted = read(text, format);
    let text = |block: &crate::Block| extracted.text[block.range.clone()].to_owned();
    extracted.blocks.iter().map(|block| (text(block), block.locator.clone())).collect()
}

fn at(start_ms: i64, end_ms: i64, speaker: &str) -> Locator {
    Locator::Time { start_ms, end_ms, speaker: speaker.into() }
}

#[test]
fn webvtt_with_voices_settings_and_notes() {
    let text = "WEBVTT - a title\n\nNOTE nothing\n\nintro\n00:02.500 --> 00:04.000 align:start\n<v Dr. Lee>Take <i>two</i> &amp; call.\n\n\
                01:00:00.000 --> 01:00:01.250\nplain";
    assert_eq!(
        cues(text, Format::WebVtt),
        [
            ("Take two & call.".into(), at(2500, 4000, "Dr. Lee")),
            ("plain".into(), at(3_600_000, 3_601_250, ""))
        ]
    );
}

#[test]
fn srt_with_commas_and_names() {
    let text = "1\r\n00:00:01,000 --> 00:00:02,000\r\nDR LEE: Good morning.\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\nNote this: eat.";
    assert_eq!(
        cues(text, Format::Srt),
        [("Good morning.".into(), at(1000, 2000, "DR LEE")), ("Note this: eat.".into(), at(3000, 4000, ""))]
    );
}

#[test]
fn broken_times_cost_their_caption_and_not_the_file() {
    for timing in [
        "00:01 --> 00:02.000",
        "x --> y",
        "00:05.000 --> 00:01.000",
        "00:00.000 -->",
        "00:61.000 --> 01:02.000",
    ] {
        let text = format!("WEBVTT\n\n{timing}\nlost\n\n00:01.000 --> 00:02.000\nfound");
        let extracted = read(&text, Format::WebVtt);
        assert_eq!(extracted.text, "found", "{timing}");
        assert_eq!(extracted.left_out[0].detail, "lost", "{timing}");
        assert!(
            extract(&format!("WEBVTT\n\n{timing}\ntext"), Format::WebVtt, &budget()).is_err(),
            "{timing}"
        );
    }
    assert!(extract("WEBVTT\n\nNOTE only", Format::WebVtt, &budget()).is_err());
}

#[test]
fn a_lost_caption_inside_a_sentence_leaves_a_hole() {
    let text = "1\n00:00:01,000 --> 00:00:02,000\nDo not give more than\n\n2\n00:00:xx --> 00:00:03,000\n40 mg a day unless\n\n\
                3\n00:00:03,000 --> 00:00:04,000\nthe kidneys are healthy.";
    let text = text.replace("00:00:xx", "00:00:99,999,1");
    let extracted = read(&text, Format::Srt);
    assert_eq!(
        extracted.text,
        "Do not give more than [caption that cannot be read] the kidneys are healthy."
    );
    assert!(notes::has_hole(&extracted.text));
}

#[test]
fn comparisons_are_no_tags() {
    let text = "1\n00:00:01,000 --> 00:00:02,000\nStop if <3.5 or >5.5 and a <b and c> d, <i>now</i> {\\an8}<font color=\"red\">!</font>";
    assert_eq!(cues(text, Format::Srt)[0].0, "Stop if <3.5 or >5.5 and a <b and c> d, now !");
    let text = "WEBVTT\n\n00:01.000 --> 00:02.000\nage <65 &lt;b&gt; &amp;lt; <c.yellow>and</c> <00:01.500>x <u>y</u> <x>";
    assert_eq!(cues(text, Format::WebVtt)[0].0, "age <65 <b> &lt; and x y <x>");
}

#[test]
fn a_number_that_is_said_is_no_counter() {
    let text = "1\n00:00:01,000 --> 00:00:02,000\nThe limit is\n120\n00:00:02,000 --> 00:00:03,000\nor so.\n\n\
                3\n00:00:03,000 --> 00:00:04,000\nEnd.";
    assert_eq!(read(text, Format::Srt).text, "The limit is 120 or so. End.");
}

#[test]
fn headings_are_no_speakers() {
    let text = "WEBVTT\n\n00:01.000 --> 00:02.000\nWarning: do not crush it.\n\n00:05.000 --> 00:06.000\nSide Effects: rash.\n\n\
                00:09.000 --> 00:10.000\nECG: ST elevation.\n\n00:15.000 --> 00:16.000\n>> Moderator: Thanks.";
    let read: Vec<_> = cues(text, Format::WebVtt).into_iter().map(|(text, _)| text).collect();
    assert_eq!(read, ["Warning: do not crush it.", "Side Effects: rash.", "ECG: ST elevation.", "Thanks."]);
}

#[test]
fn what_is_painted_further_is_read_once() {
    let text = "WEBVTT\n\n00:01.000 --> 00:02.000\nstart apixaban at\n\n00:02.000 --> 00:03.000\nstart apixaban at five milligrams\n\n\
                00:03.000 --> 00:04.000\nNo.\n\n00:04.000 --> 00:05.000\nNo change.";
    assert_eq!(read(text, Format::WebVtt).text, "start apixaban at five milligrams No. No change.");
}
