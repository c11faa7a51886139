#include "config/settings.hh"

#include <algorithm>
#include <iterator>
#include <span>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "config/reader.hh"
#include "config/suggest.hh"
#include "config/table.hh"

namespace greylag::config {
namespace {

// First octets of the networks that the tarpit of upas keeps waiting longest.
constexpr std::uint8_t long_octets[] = {58, 66, 71, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 190, 201, 217};

// Where mail goes unless the file says otherwise.
std::string mail_under(const std::string& state) { return state + "/mail/%d/%u/Maildir"; }

std::string shown(std::string_view text) { return "'" + base::printable(text, 60) + "'"; }
std::string in_section(std::string_view key, std::string_view section) {
    return shown(key) + " in [" + base::printable(section, 60) + "]";
}
std::string did_you_mean(std::string_view typed, std::span<const std::string_view> names) {
    const std::string_view name = closest(typed, names);
    return name.empty() ? std::string() : "; did you mean '" + std::string(name) + "'?";
}

bool is_section(std::string_view name) {
    return std::ranges::any_of(table(), [&](const Row& row) { return row.setting.section == name; });
}

// A quote that would become part of the value. Inside [smtpd] mailer quotes hold words together.
bool is_quoted(std::string_view section, std::string_view key, std::string_view value) {
    const auto is_quote = [](char c) { return c == '"' || c == '\''; };
    if (value.empty()) return false;
    if (section == "smtpd" && key == "mailer") return is_quote(value.front());
    return is_quote(value.front()) || is_quote(value.back()) || value.find('"') != std::string_view::npos;
}

class Parser {
public:
    Parser(std::string_view bytes, std::string_view file) : reading_(read_entries(bytes)), file_(file), seen_(table().size()) {}

    Loaded parse() {
        loaded_.settings = defaults();
        for (Remark& remark : reading_.remarks) fault(remark.line, std::move(remark.what));
        for (const Opening& opening : reading_.openings) take_opening(opening);
        for (const Entry& entry : reading_.entries) take_entry(entry);
        if (seen_[find("paths", "mail")].lines.empty()) loaded_.settings.paths.mail = mail_under(loaded_.settings.paths.state);
        for (const Rule& rule : rules()) check(rule);
        note_sources();
        for (auto& [line, what] : faults_) loaded_.faults.push_back({std::string(file_), line, std::move(what)});
        return std::move(loaded_);
    }

private:
    struct Seen {
        std::vector<unsigned> lines;
        bool faulty = false;
    };

    void fault(unsigned line, std::string what) { faults_.emplace(line, std::move(what)); }

    std::size_t find(std::string_view section, std::string_view key) const {
        const auto at = std::ranges::find_if(
            table(), [&](const Row& row) { return row.setting.section == section && row.setting.key == key; });
        return static_cast<std::size_t>(at - table().begin());
    }

    void take_opening(const Opening& opening) {
        if (is_section(opening.section)) return;
        std::vector<std::string_view> names;
        for (const Row& row : table()) names.push_back(row.setting.section);
        fault(opening.line,
              "unknown section [" + base::printable(opening.section, 60) + "]" + did_you_mean(opening.section, names));
    }

    void take_entry(const Entry& entry) {
        const std::size_t index = find(entry.section, entry.key);
        if (index == table().size()) return unknown_key(entry);
        const Row& row = table()[index];
        Seen& seen = seen_[index];
        seen.lines.push_back(entry.line);
        if (!row.setting.list && seen.lines.size() > 1) {
            return fault(entry.line, in_section(entry.key, entry.section) + " is already given in line " +
                                         std::to_string(seen.lines.front()));
        }
        if (is_quoted(entry.section, entry.key, entry.value)) {
            seen.faulty = true;
            return fault(entry.line, in_section(entry.key, entry.section) + ": values are written without quotes");
        }
        if (!row.setting.list) return take_value(entry, entry.value, row, seen);
        if (seen.lines.size() == 1) row.clear(loaded_.settings);
        for (const std::string_view item : base::words(entry.value, ",")) take_value(entry, item, row, seen);
    }

    void take_value(const Entry& entry, std::string_view value, const Row& row, Seen& seen) {
        if (row.set(loaded_.settings, value)) return;
        seen.faulty = true;
        const std::string given = value.empty() ? " has no value" : ": " + shown(value) + " will not do";
        fault(entry.line, in_section(entry.key, entry.section) + given + "; expected " + std::string(row.setting.expects));
    }

    void unknown_key(const Entry& entry) {
        if (!is_section(entry.section)) return;  // said at its header
        std::vector<std::string_view> names;
        std::string hint;
        for (const Row& row : table()) {
            if (row.setting.section == entry.section) {
                names.push_back(row.setting.key);
            } else if (hint.empty() && row.setting.key == entry.key) {
                hint = "; it belongs to [" + std::string(row.setting.section) + "]";
            }
        }
        if (hint.empty()) hint = did_you_mean(entry.key, names);
        fault(entry.line, "unknown key " + in_section(entry.key, entry.section) + hint);
    }

    void check(const Rule& rule) {
        if (rule.holds(loaded_.settings)) return;
        unsigned line = 0;
        for (const std::string_view key : {rule.key, rule.other}) {
            if (key.empty()) continue;
            const Seen& seen = seen_[find(rule.section, key)];
            if (seen.faulty) return;  // it has its own fault; what stands there now is not what was meant
            if (!seen.lines.empty()) line = std::max(line, seen.lines.front());
        }
        fault(line, in_section(rule.key, rule.section) + " " + std::string(rule.what));
    }

    void note_sources() {
        for (std::size_t i = 0; i < seen_.size(); ++i) {
            if (seen_[i].lines.empty()) continue;
            const Setting& setting = table()[i].setting;
            std::string source = std::string(file_) + ":" + std::to_string(seen_[i].lines.front());
            if (setting.list) {
                for (const unsigned line : std::span(seen_[i].lines).subspan(1)) source += "," + std::to_string(line);
            }
            loaded_.sources.emplace(std::string(setting.section) + "." + std::string(setting.key), std::move(source));
        }
    }

    Reading reading_;
    std::string_view file_;
    std::vector<Seen> seen_;
    std::multimap<unsigned, std::string> faults_;  // of one line, in the order found
    Loaded loaded_;
};

}  // namespace

Settings defaults() {
    Settings s;
    s.smtpd.long_nets.reserve(std::size(long_octets));
    for (const std::uint8_t octet : long_octets) s.smtpd.long_nets.emplace_back(mail::IpAddress::v4({octet, 0, 0, 0}), 8);
    s.paths.state = GREYLAG_STATE;
    s.paths.mail = mail_under(s.paths.state);
    s.paths.libexec = GREYLAG_LIBEXEC;
    s.paths.lib = GREYLAG_SYSCONFDIR "/greylag";
    return s;
}

std::string_view installed_file() { return GREYLAG_SYSCONFDIR "/greylag/smtpd.conf"; }

std::string Fault::text() const { return file + ":" + (line == 0 ? "" : std::to_string(line) + ":") + " " + what; }

Loaded parse(std::string_view bytes, std::string_view file) { return Parser(bytes, file).parse(); }

std::string as_file(const Settings& settings) {
    std::string text;
    std::string_view section;
    for (const Row& row : table()) {
        const auto& [in, key, list, expects, show] = row.setting;
        if (in != section) text += "[" + std::string(in) + "]\n";
        section = in;
        const std::string value = show(settings);
        const std::string start = std::string(key) + " =";
        if (!list || value.empty()) {
            text += start + (value.empty() ? "" : " ") + value + "\n";
            continue;
        }
        for (const std::string_view item : base::words(value)) text += start + " " + std::string(item) + "\n";
    }
    return text;
}

}  // namespace greylag::config
