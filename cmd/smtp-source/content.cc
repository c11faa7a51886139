#include "cmd/smtp-source/content.hh"

#include <algorithm>
#include <charconv>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "smtp/dot.hh"

namespace greylag::source {

namespace {

constexpr std::size_t line_octets = 80;  // CRLF included, as ever

constexpr std::string_view old_text = "La de da de da 1.\r\nLa de da de da 2.\r\nLa de da de da 3.\r\nLa de da de da 4.\r\n";

void append_number(std::string& out, std::uint64_t number, int base = 10) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number, base).ptr;
    out.append(digits, static_cast<std::size_t>(end - digits));
}

// Full lines one after the other: a cycle of ten, repeated up to the largest message.
std::string payload_lines(std::uint64_t largest) {
    std::string out;
    out.reserve(static_cast<std::size_t>(largest) + line_octets);
    for (std::uint64_t line = 1; out.size() + line_octets <= largest; ++line) {
        out += static_cast<char>('0' + line % 10);
        out.append(line_octets - 3, 'X').append("\r\n");
    }
    return out;
}

std::string encoded(std::string_view text, bool dots) {
    if (!dots) return with_crlf(text);
    std::string out;
    smtp::DotEncoder encoder;
    encoder.feed(text, out);
    encoder.finish(out);
    out.resize(out.size() - 3);  // the final dot is not the message's
    return out;
}

}  // namespace

std::string with_crlf(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t lf = text.find('\n');
        std::string_view line = text.substr(0, lf);
        if (line.ends_with('\r')) line.remove_suffix(1);
        out.append(line).append("\r\n");
        text.remove_prefix(lf == std::string_view::npos ? text.size() : lf + 1);
    }
    return out;
}

void append_recipient(std::string& out, const Order& order, std::uint64_t message, unsigned index) {
    const std::string_view address = order.recipient;
    const std::uint64_t number = message * order.recipients + index;
    if (!order.number_all && order.recipients == 1) {
        out += address;
    } else if (order.numbering == Numbering::suffix) {
        const std::size_t at = std::min(address.rfind('@'), address.size());
        out += address.substr(0, at);
        append_number(out, number);
        out += address.substr(at);
    } else {
        const std::uint64_t shown = order.number_all ? number + 1 : order.recipients - index;
        if (order.number_all || shown > 1) append_number(out, shown);
        out += address;
    }
}

Result<Content> Content::make(const Order& order, Files files) {
    Content c(order);
    c.date_ = std::move(files.date);
    c.identity_ = std::move(files.identity);
    c.front_ = "From: <" + order.sender + ">\r\nTo: <";
    c.back_ = "@" + order.name + ">\r\n";
    if (!order.subject.empty()) c.back_ += "Subject: " + order.subject + "\r\n";
    c.back_ += "\r\n";
    c.generated_ = order.length || order.size;
    const std::uint64_t largest = order.length ? *order.length : order.size ? order.size->largest() : 0;
    c.lines_ = payload_lines(largest);
    c.line_.assign(line_octets, 'X');
    if (!order.file.empty()) c.fixed_ = encoded(files.message, !order.bdat);
    if (order.file.empty() && !c.generated_) c.fixed_ = old_text;
    if (!order.template_file.empty()) TRY(c.read_form(files.form));
    return c;
}

Result<void> Content::read_form(std::string_view form) {
    struct Known {
        std::string_view name;
        Word word;
    };
    constexpr Known words[] = {{"number", Word::number}, {"session", Word::session}, {"from", Word::from},
                               {"to", Word::to},         {"date", Word::date},       {"id", Word::id},
                               {"random", Word::random}, {"payload", Word::payload}};
    std::string text;
    const auto end_text = [&] {
        if (!text.empty()) form_.push_back({Word::text, std::move(text)});
        text.clear();
    };
    while (!form.empty()) {
        const std::size_t size = form.starts_with("%{") ? form.find('}') : 0;
        if (size == 0) {
            text += form.front();
            form.remove_prefix(form.starts_with("%%") ? 2 : 1);
            continue;
        }
        const std::string_view name = form.substr(2, size == std::string_view::npos ? size : size - 2);
        const auto* known = std::find_if(std::begin(words), std::end(words), [&](const Known& k) { return k.name == name; });
        if (known == std::end(words) || size == std::string_view::npos)
            return base::fail(Kind::usage, "--template: " + base::quoted(name, 40) + " is no word");
        end_text();
        form_.push_back({known->word, {}});
        form.remove_prefix(size + 1);
    }
    end_text();
    return {};
}

void Content::id(std::uint64_t message, unsigned session, std::string& out) const {
    out += identity_;
    out += '.';
    append_number(out, session, 16);
    out += '.';
    append_number(out, message, 16);
}

void Content::header(std::uint64_t message, unsigned session, std::string& out) const {
    out += front_;
    // The prefix form never told the header of its numbers; the suffix form tells the last one.
    if (order_.numbering == Numbering::suffix) {
        append_recipient(out, order_, message, order_.recipients - 1);
    } else {
        out += order_.recipient;
    }
    out += ">\r\nDate: ";
    out += date_;
    out += "\r\nMessage-Id: <";
    id(message, session, out);
    out += back_;
}

Octets Content::payload(std::uint64_t size) const {
    // A last line of 80 octets does not become a full one with its end.
    const std::uint64_t full = size == 0 ? 0 : (size - 1) / line_octets;
    const std::string_view lines = std::string_view(lines_).substr(0, static_cast<std::size_t>(full) * line_octets);
    const std::string_view rest = std::string_view(line_).substr(0, static_cast<std::size_t>(size - full * line_octets));
    return {lines, rest, size == 0 ? "" : "\r\n"};
}

void Content::fill(const Part& part, std::uint64_t message, unsigned session, Dice& dice, std::string& out) const {
    switch (part.word) {
        case Word::text: out += part.text; break;
        case Word::number: append_number(out, message + 1); break;
        case Word::session: append_number(out, session + 1); break;
        case Word::from: out += order_.sender; break;
        case Word::to: append_recipient(out, order_, message, order_.recipients - 1); break;
        case Word::date: out += date_; break;
        case Word::id:
            id(message, session, out);
            out += '@';
            out += order_.name;
            break;
        case Word::random: append_number(out, dice.next(), 16); break;
        case Word::payload: {
            const Octets octets = payload(order_.length ? *order_.length : order_.size ? order_.size->draw(dice) : 0);
            out.append(octets.body).append(octets.rest).append(octets.end);
            break;
        }
    }
}

Octets Content::write(std::uint64_t message, unsigned session, Dice& dice, Buffer& buffer) const {
    if (!form_.empty()) {
        buffer.plain.clear();
        for (const auto& part : form_) fill(part, message, session, dice, buffer.plain);
        buffer.filled.clear();
        if (order_.bdat) {
            buffer.filled = with_crlf(buffer.plain);
        } else {
            smtp::DotEncoder encoder;
            encoder.feed(buffer.plain, buffer.filled);
            encoder.finish(buffer.filled);
            buffer.filled.resize(buffer.filled.size() - 3);
        }
        return {buffer.filled, {}, {}};
    }
    if (!order_.old_mode && order_.file.empty()) header(message, session, buffer.head);
    if (!generated_) return {fixed_, {}, {}};
    return payload(order_.length ? *order_.length : order_.size->draw(dice));
}

}  // namespace greylag::source
