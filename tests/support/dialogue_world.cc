// Reads the @ lines of a dialogue (dialogue_run.hh).
#include "base/ascii.hh"
#include "smtp/dialogue_run.hh"
#include "tests/support/dialogue_run.hh"
#include "tests/support/scratch.hh"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace greylag::test {

using smtp::dialogue::Fault;
using smtp::dialogue::Script;
using smtp::dialogue::WorldLine;

namespace {

// Words by blanks; a quoted piece may hold them. The quotes go.
std::vector<std::string> fields(std::string_view text) {
    std::vector<std::string> out;
    bool quoted = false, open = false;
    for (const char c : text) {
        if (c == '"') {
            quoted = !quoted;
        } else if (base::is_blank(c) && !quoted) {
            open = false;
            continue;
        }
        if (!open) out.emplace_back();
        open = true;
        if (c != '"') out.back() += c;
    }
    return out;
}

class Reader {
public:
    explicit Reader(const Script& script) : script_(script) {}

    std::expected<World, std::vector<Fault>> run() {
        for (const WorldLine& line : script_.world) take(line);
        if (!faults_.empty()) return std::unexpected(std::move(faults_));
        return std::move(world_);
    }

private:
    using Row = void (Reader::*)(const WorldLine&);

    void take(const WorldLine& line) {
        struct Entry {
            std::string_view name;
            bool block;  // takes one: must, unless `none` stands there
            Row row;
        };
        static constexpr Entry table[] = {
            {"option", false, &Reader::option},     {"config", true, &Reader::config},       {"user", false, &Reader::user},
            {"password", false, &Reader::password}, {"alias", false, &Reader::alias},        {"file", true, &Reader::file},
            {"peer", false, &Reader::peer},         {"mailer", false, &Reader::mailer},      {"only", false, &Reader::only},
            {"exit", false, &Reader::exit},         {"delivered", true, &Reader::delivered}, {"log", false, &Reader::log},
            {"log!", false, &Reader::log},
        };
        for (const Entry& entry : table) {
            if (entry.name != line.name) continue;
            const bool none = entry.name == "delivered" && line.text == "none";
            if (line.block.has_value() != (entry.block && !none))
                return fault(line, entry.block ? "takes a block: <<END" : "takes no block");
            if (line.text.empty() && !entry.block) return fault(line, "takes an argument");
            return (this->*entry.row)(line);
        }
        fault(line, "is no word of the world");
    }

    void fault(const WorldLine& line, const std::string& what) { faults_.push_back({line.line, "@" + line.name + " " + what}); }

    void option(const WorldLine& line) {
        for (std::string& word : fields(line.text)) world_.options.push_back(std::move(word));
    }
    void config(const WorldLine& line) { world_.config += *line.block; }
    void user(const WorldLine& line) {
        world_.users.push_back(line.text.find('@') == std::string::npos ? line.text + "@example.org" : line.text);
    }
    void password(const WorldLine& line) {
        const auto parts = base::cut(line.text, ' ');
        if (!parts) return fault(line, "takes a user and a password");
        world_.passwords.emplace_back(parts->first, parts->second);
    }
    void alias(const WorldLine& line) {
        if (line.text.find(':') == std::string::npos) return fault(line, "takes name: target");
        world_.aliases.push_back(line.text);
    }
    void file(const WorldLine& line) {
        if (line.text.empty() || line.text.front() == '/') return fault(line, "takes a name under the world's directory");
        world_.files.push_back({line.text, *line.block});
    }
    void peer(const WorldLine& line) { world_.peer = line.text; }
    void mailer(const WorldLine& line) {
        const auto words = base::words(line.text);
        if (line.text == "send") {
            world_.real_send = true;
        } else if (words[0] == "exit" && words.size() > 2) {
            const auto said = static_cast<std::size_t>(words[2].data() - line.text.data());
            world_.mailer += "exit " + std::string(words[1]) + "\nerr " + line.text.substr(said) + "\n";
        } else {
            world_.mailer += line.text + "\n";
        }
    }
    void only(const WorldLine& line) {
        if (line.text != "program" && line.text != "memory") return fault(line, "takes program or memory");
        (line.text == "program" ? world_.in_memory : world_.in_program) = false;
    }
    void exit(const WorldLine& line) {
        const auto status = base::parse_number<std::uint8_t>(line.text);
        if (!status) return fault(line, "takes an exit status");
        world_.exit = *status;
    }
    void delivered(const WorldLine& line) {
        if (line.block && !line.text.empty()) return fault(line, "takes none or a block");
        world_.delivered.push_back({line.line, line.block});
    }
    void log(const WorldLine& line) {
        World::LogLine wanted{line.line, line.name == "log!", {}, fields(line.text)};
        wanted.word = wanted.fields.front();
        wanted.fields.erase(wanted.fields.begin());
        for (const std::string& field : wanted.fields)
            if (field.find('=') == std::string::npos) fault(line, "takes a word and key=value, not " + field);
        world_.log.push_back(std::move(wanted));
    }

    const Script& script_;
    World world_;
    std::vector<Fault> faults_;
};

}  // namespace

std::expected<World, std::vector<Fault>> world_of(const Script& script) { return Reader(script).run(); }

std::expected<std::vector<Dialogue>, std::string> read_dialogues(const std::string& file) {
    const auto text = read_whole(file);
    if (!text) return std::unexpected(file + ": cannot be read");
    const auto joined = [&](const std::vector<Fault>& faults) {
        std::string all;
        for (const Fault& f : faults) all += (all.empty() ? "" : "\n") + file + ":" + std::to_string(f.line) + ": " + f.what;
        return all;
    };
    std::vector<Dialogue> out;
    for (const auto& section : smtp::dialogue::sections(*text)) {
        auto script = smtp::dialogue::parse(section.text);
        if (!script) return std::unexpected(joined(script.error()));
        auto world = world_of(*script);
        if (!world) return std::unexpected(joined(world.error()));
        const std::string name = section.title.empty() ? file : file + ": " + section.title;
        out.push_back({name, std::move(*script), std::move(*world)});
    }
    return out;
}

std::vector<std::string> dialogue_files(const std::string& directory) {
    std::vector<std::string> names;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(directory, none))
        if (entry.path().extension() == ".dialog") names.push_back(entry.path().string());
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace greylag::test
