#pragma once
// Tables of verdicts that another implementation gave: "<verdict> <text>" a line, '#' a comment,
// bytes outside 0x21..0x7e and the backslash as \xNN.

#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace smw::kube::test {

struct OracleCase {
    std::string verdict;
    std::string text;
    std::string line;  ///< as the file has it, for messages
};

inline std::string unescape(const std::string& text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\') {
            plain += static_cast<char>(std::stoi(text.substr(i + 2, 2), nullptr, 16));
            i += 3;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

inline std::vector<OracleCase> read_oracle_table(const std::string& name) {
    std::ifstream file{std::string{SMW_TEST_DATA} + "/kube/" + name};
    std::vector<OracleCase> cases;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#')) {
            continue;
        }
        const auto blank = line.find(' ');
        if (blank == std::string::npos) {
            throw std::runtime_error{name + ": a line without a blank: " + line};
        }
        cases.push_back({line.substr(0, blank), unescape(line.substr(blank + 1)), line});
    }
    return cases;
}

}  // namespace smw::kube::test
