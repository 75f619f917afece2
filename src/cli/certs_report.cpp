#include "cli/certs_report.hpp"

#include "cli/command.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace smw::cli {
namespace {

using std::chrono::seconds;
using tls::CertificateDetails;
using tls::Severity;

/// Certificates of public sites have hundreds of names.
constexpr std::size_t kMostNames = 12;
constexpr std::size_t kLabelWidth = 12;

/// A WallTime cannot hold the span between the ends of what it can hold.
seconds until(WallTime time, WallTime now) {
    return std::chrono::floor<seconds>(time) - std::chrono::floor<seconds>(now);
}

std::string verdict_of(const CertificateReport& report) {
    if (report.is_bad()) {
        return "refused";
    }
    return report.findings.empty() ? "good" : "suspicious";
}

std::string paint_verdict(const CertificateReport& report, const Paint& paint) {
    const auto verdict = verdict_of(report);
    if (verdict == "refused") {
        return paint.red(paint.bold("not good"));
    }
    return verdict == "good" ? paint.green(paint.bold("good"))
                             : paint.yellow("good enough, but look at it");
}

/// "    label       text"; the label is padded before it is painted.
void append_row(std::string& out, std::string_view label, std::string_view text) {
    out += fmt::format("    {:<{}}{}\n", label, kLabelWidth, printable(text));
}

void append_verdict_row(std::string& out, const std::string& label, std::string_view text) {
    out += fmt::format("  {}{}\n", label, printable(text));
}

void append_findings(std::string& out, const CertificateReport& report, const Paint& paint) {
    // The worst first.
    for (const auto severity : {Severity::Refused, Severity::Suspicious}) {
        for (const auto& finding : report.findings) {
            if (finding.severity == severity) {
                const auto label = fmt::format("{:<{}}", tls::to_string(severity), kLabelWidth + 2);
                append_verdict_row(
                    out, severity == Severity::Refused ? paint.red(label) : paint.yellow(label),
                    finding.text);
            }
        }
    }
}

void append_trust(std::string& out, const CertificateReport& report, const Paint& paint) {
    for (const auto& verdict : report.trust) {
        const auto asked =
            verdict.name.empty() ? std::string{} : fmt::format(", asked for as {}", verdict.name);
        const auto text = verdict.why_not.empty()
                              ? fmt::format("by {}{}", verdict.by, asked)
                              : fmt::format("by {}{}: {}", verdict.by, asked, verdict.why_not);
        const auto label = fmt::format(
            "{:<{}}", verdict.why_not.empty() ? "trusted" : "not trusted", kLabelWidth + 2);
        append_verdict_row(out, verdict.why_not.empty() ? paint.green(label) : paint.red(label),
                           text);
    }
}

std::string time_left(const CertificateDetails& certificate, WallTime now) {
    if (now >= certificate.not_after) {
        return fmt::format("expired {} ago", span_in_words(until(now, certificate.not_after)));
    }
    if (now < certificate.not_before) {
        return fmt::format("begins in {}", span_in_words(until(certificate.not_before, now)));
    }
    return fmt::format("{} left", span_in_words(until(certificate.not_after, now)));
}

void append_names(std::string& out, const std::vector<std::string>& names) {
    const std::size_t shown = std::min(names.size(), kMostNames);
    for (std::size_t at = 0; at < shown; ++at) {
        append_row(out, at == 0 ? "SANs" : "", names[at]);
    }
    if (shown < names.size()) {
        append_row(out, "", fmt::format("and {} more", names.size() - shown));
    }
    if (names.empty()) {
        append_row(out, "SANs", "none");
    }
}

void append_certificate(std::string& out, const CertificateDetails& certificate, WallTime now) {
    append_row(out, "subject", certificate.subject);
    append_row(out, "issuer",
               certificate.issuer == certificate.subject ? "itself" : certificate.issuer);
    if (!certificate.is_ca || !certificate.names.empty()) {
        append_names(out, certificate.names);
    }
    append_row(out, "key",
               fmt::format("{}, signed with {}", certificate.key, certificate.signature));
    if (!certificate.usages.empty()) {
        append_row(out, "usage", fmt::format("{}", fmt::join(certificate.usages, ", ")));
    }
    append_row(out, "valid",
               fmt::format("{} to {}, {}", tls::to_text(certificate.not_before),
                           tls::to_text(certificate.not_after), time_left(certificate, now)));
    append_row(out, "SHA-256", certificate.sha256);
}

void append_group(std::string& out, const CertificateGroup& group, WallTime now,
                  const Paint& paint) {
    const auto count = group.certificates.size();
    for (std::size_t at = 0; at < count; ++at) {
        const auto number = count == 1 ? std::string{} : fmt::format(" {} of {}", at + 1, count);
        const auto file = group.file.empty() ? std::string{} : fmt::format(" ({})", group.file);
        out +=
            fmt::format("\n  {}{}\n", paint.bold(group.title + number), paint.dim(printable(file)));
        append_certificate(out, group.certificates[at], now);
    }
}

void write_texts(json::Writer& writer, std::string_view key,
                 const std::vector<std::string>& texts) {
    writer.key(key).begin_array();
    for (const auto& text : texts) {
        writer.value(text);
    }
    writer.end_array();
}

void write_certificate(json::Writer& writer, const CertificateDetails& certificate, WallTime now) {
    writer.begin_object()
        .member("subject", certificate.subject)
        .member("issuer", certificate.issuer)
        .member("serial", certificate.serial);
    write_texts(writer, "names", certificate.names);
    write_texts(writer, "extendedKeyUsages", certificate.usages);
    writer.member("isCA", certificate.is_ca)
        .member("key", certificate.key)
        .member("signature", certificate.signature)
        .member("notBefore", tls::to_text(certificate.not_before))
        .member("notAfter", tls::to_text(certificate.not_after))
        .member("secondsLeft", std::int64_t{until(certificate.not_after, now).count()})
        .member("sha256", certificate.sha256)
        .end_object();
}

void write_groups(json::Writer& writer, const CertificateReport& report) {
    writer.key("certificates").begin_array();
    for (const auto& group : report.groups) {
        writer.begin_object().member("title", group.title).member("file", group.file);
        writer.key("chain").begin_array();
        for (const auto& certificate : group.certificates) {
            write_certificate(writer, certificate, report.now);
        }
        writer.end_array().end_object();
    }
    writer.end_array();
}

}  // namespace

std::string span_in_words(seconds span) {
    struct Unit {
        std::string_view name;
        std::int64_t seconds;
    };
    constexpr std::array<Unit, 5> kUnits{
        {{"year", 31'536'000}, {"day", 86'400}, {"hour", 3600}, {"minute", 60}, {"second", 1}}};
    std::string out;
    std::int64_t left = std::max<std::int64_t>(span.count(), 0);
    std::size_t at = 0;
    while (at + 1 < kUnits.size() && left < kUnits[at].seconds) {
        ++at;
    }
    const std::size_t last = std::min(at + 2, kUnits.size());
    for (; at < last; ++at) {
        const auto count = left / kUnits[at].seconds;
        left %= kUnits[at].seconds;
        if (count > 0 || out.empty()) {
            out += fmt::format("{}{} {}{}", out.empty() ? "" : " ", count, kUnits[at].name,
                               count == 1 ? "" : "s");
        }
    }
    return out;
}

std::string to_text(const CertificateReport& report, const Paint& paint) {
    std::string out =
        fmt::format("{}: {}\n", paint.bold(printable(report.place)), paint_verdict(report, paint));
    append_findings(out, report, paint);
    append_trust(out, report, paint);
    if (report.asked_name.empty() && report.shows_leaf) {
        append_verdict_row(out, paint.dim(fmt::format("{:<{}}", "not judged", kLabelWidth + 2)),
                           "its SANs: say what callers ask for with --service-namespace");
    }
    if (!report.note.empty()) {
        append_verdict_row(out, paint.dim(fmt::format("{:<{}}", "seen", kLabelWidth + 2)),
                           report.note);
    }
    for (const auto& group : report.groups) {
        append_group(out, group, report.now, paint);
    }
    return out;
}

json::Text to_json(const CertificateReport& report) {
    json::Text text;
    json::Writer writer{text.json};
    writer.begin_object()
        .member("place", report.place)
        .member("verdict", verdict_of(report))
        .member("note", report.note)
        .member("askedName", report.asked_name);
    writer.key("findings").begin_array();
    for (const auto& finding : report.findings) {
        writer.begin_object()
            .member("severity", tls::to_string(finding.severity))
            .member("rule", tls::to_string(finding.rule))
            .member("text", finding.text)
            .end_object();
    }
    writer.end_array().key("trust").begin_array();
    for (const auto& verdict : report.trust) {
        writer.begin_object()
            .member("by", verdict.by)
            .member("name", verdict.name)
            .member("trusted", verdict.why_not.empty())
            .member("why", verdict.why_not)
            .end_object();
    }
    writer.end_array();
    write_groups(writer, report);
    writer.end_object();
    return text;
}

}  // namespace smw::cli
