//! Names in scripts that have no capitals.

use std::sync::LazyLock;

use regex::Regex;

use crate::{Finding, Kind, pattern};

/// Names in scripts that have no capitals: a surname that is common, beside a patient, an age or a form of address.
pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    static ELSEWHERE: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        let chinese = "[王李张張刘劉陈陳杨楊赵趙黄黃周吴吳徐孙孫胡朱高林何郭马馬罗羅梁宋郑鄭谢謝韩韓唐冯馮于董萧蕭程曹袁邓鄧许許傅沈曾彭吕呂苏蘇卢盧蒋蔣蔡贾賈丁魏薛叶葉阎余潘杜戴夏钟鐘汪田任姜范方石姚谭廖邹熊金陆陸郝孔崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易武乔贺赖龚文]";
        [
            format!(r"(?:患者|病人|患儿|患兒|病患|姓名|名叫|叫做?|产妇|老人|男孩|女孩)(?:是|为|叫|名为)?[ :,]{{0,2}}(?P<name>{chinese}\p{{Han}}{{1,2}})(?:[ ,.。;:()?!、]|[男女因患有服于出]|$)"),
            format!(r"(?:^|[ ,.。;:(、])(?P<name>{chinese}\p{{Han}}{{1,2}})[ ,(]{{1,3}}(?:[男女]|\d{{1,3}} ?(?:岁|歲|[MF]\b|y))"),
            format!(r"(?P<name>{chinese}某?某?\p{{Han}}{{0,2}})(?:先生|女士|小姐|太太|大爷|阿姨|奶奶|爷爷)"),
            r"(?:^|[^\p{Han}\p{Hiragana}\p{Katakana}])(?P<name>[\p{Han}\p{Katakana}]{2,5})(?: ?[\p{Han}\p{Katakana}]{1,4})?(?:さん|様|氏|くん|君|ちゃん)".to_owned(),
            r"(?:患者名?|氏名|名前)(?:は|:| )? ?(?P<name>[\p{Han}\p{Katakana}]{2,5})(?:[ ,.。、(は]|$)".to_owned(),
            r"(?:환자|이름은?|성명|성함은?)[ :,]{1,3}(?P<name>[김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진나지엄채원천방공현함변염여추][가-힣]{1,2})(?:[ ,.()은는이가]|씨|님|$)".to_owned(),
            r"(?:^|[ ,.])(?P<name>[김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진나지엄채원천방공현함변염여추][가-힣]{1,2}) ?(?:씨|님)(?:[ ,.()은는이가의]|$)".to_owned(),
            r"(?:المريضة?|مريضي|السيدة?|اسمه|اسمها) (?P<name>\p{Arabic}{3,}(?: \p{Arabic}{3,})?)".to_owned(),
            r"(?:(?i:пациент\p{L}*|больн\p{L}+|зовут|имя|фио)[ :,]{1,2})(?P<name>\p{Lu}\p{Ll}+(?: \p{Lu}\p{Ll}*\.?){0,2})".to_owned(),
        ]
        .iter()
        .map(|text| pattern(text))
        .collect()
    });
    for elsewhere in ELSEWHERE.iter() {
        let names = elsewhere.captures_iter(text).filter_map(|hit| hit.name("name").map(|name| name.range()));
        found.extend(names.map(|place| Finding { kind: Kind::Name, place }));
    }
}
