// A line editor. Pure: keys in, a line and what to draw out; it knows no terminal. The keys are those of every shell: arrows,
// Home, End, Delete, Backspace, ^A ^B ^C ^D ^E ^F ^H ^K ^L ^N ^P ^U ^W. A character is as wide as one column.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace greylag::smtptest {

class Editor {
public:
    Editor(std::string prompt, unsigned width) : prompt_(std::move(prompt)), width_(width) {}

    struct Out {
        std::string screen;               // to be written to the terminal
        std::optional<std::string> line;  // a line was ended
        bool end = false;                 // ^D on an empty line
        bool interrupt = false;           // ^C
    };
    // Takes keys up to the end of one line, or all of them: what is left stays in `keys`.
    Out feed(std::string_view& keys);

    void prompt(std::string text) { prompt_ = std::move(text); }
    void width(unsigned columns) { width_ = columns; }
    std::string show() const;  // the line as it stands; the cursor is anywhere on it
    static std::string hide() { return "\r\x1b[K"; }
    // Lines that a later ^P brings back. Nothing twice in a row, no empty ones, the last 500.
    void remember(const std::string& line);

private:
    void key(char c, Out& out);
    void control(char c, Out& out);
    void sequence(std::string_view code);
    void insert(std::string_view text);
    void erase(std::size_t from, std::size_t to);
    void recall(int step);
    void finish(Out& out);
    std::size_t before(std::size_t at) const;
    std::size_t after(std::size_t at) const;
    std::size_t word_before(std::size_t at) const;

    std::string prompt_;
    unsigned width_;
    std::string line_;
    std::size_t at_ = 0;   // octets before the cursor; never inside a character
    std::string escape_;   // an escape sequence that is not over
    std::string partial_;  // a character of UTF-8 that is not over
    bool after_cr_ = false;
    std::vector<std::string> history_;
    std::size_t recalled_ = 0;  // of history_; its size: the line that is being written
    std::string written_;       // that line, while another is recalled
};

}  // namespace greylag::smtptest
