#include "smw/kube/image_reference.hpp"

#include "oracle_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace smw::kube {
namespace {

TEST(ImageReference, AgreesWithDistributionReference) {
    const auto cases = test::read_oracle_table("image-references.txt");
    ASSERT_GT(cases.size(), 600U);
    const auto accepted = std::count_if(cases.begin(), cases.end(),
                                        [](const auto& entry) { return entry.verdict == "ok"; });
    ASSERT_GT(accepted, 200);
    for (const auto& entry : cases) {
        EXPECT_EQ(is_image_reference(entry.text), entry.verdict == "ok") << entry.line;
    }
}

struct RegistryCase {
    std::string_view image;
    bool named;
};

TEST(ImageReference, KnowsWhetherARegistryIsNamed) {
    const RegistryCase cases[] = {
        {"nginx", false},
        {"nginx:1.19", false},
        {"a.b", false},
        {"localhost", false},
        {"localhost:5000", false},
        {"team/app", false},
        {"team/app:v1.2", false},
        {"team/a.b/c", false},
        {"Team/app", false},
        {"localhosts/app", false},
        {"LOCALHOST/app", false},
        {"", false},
        {"/", false},
        {"/a.b", false},
        {"localhost/app", true},
        {"localhost:5000/app", true},
        {"registry:5000/app", true},
        {"a.b/app", true},
        {"[::1]/app", true},
        {"a.b/", true},
    };
    for (const auto& [image, named] : cases) {
        EXPECT_EQ(names_registry(image), named) << image;
    }
}

struct PlacingCase {
    std::string_view image;
    std::string_view registry;
    std::string_view placed;
};

TEST(ImageReference, PutsTheRegistryBeforeAnImageWithoutOne) {
    const PlacingCase cases[] = {
        {"app:v1", "reg.io", "reg.io/app:v1"},
        {"team/app", "reg.io", "reg.io/team/app"},
        {"team/app", "reg.io/mirror", "reg.io/mirror/team/app"},
        {"app", "https://reg.io", "reg.io/app"},
        {"app", "http://reg.io:5000", "reg.io:5000/app"},
        {"app", "reg.io/", "reg.io/app"},
        {"app", "https://reg.io/mirror///", "reg.io/mirror/app"},
        {"app:1.5", "reg", "reg/app:1.5"},
        // Named already.
        {"other.io/app", "reg.io", "other.io/app"},
        {"localhost/app", "reg.io", "localhost/app"},
        {"other:5000/app", "reg.io", "other:5000/app"},
        // Nothing left of the registry.
        {"app", "", "app"},
        {"app", "/", "app"},
        {"app", "https://", "app"},
        {"app", "http:///", "app"},
        // The scheme goes once, and only from the front.
        {"app", "http://https://reg.io", "https://reg.io/app"},
        {"app", "reg.io/http://", "reg.io/http:/app"},
    };
    for (const auto& [image, registry, placed] : cases) {
        EXPECT_EQ(with_registry(image, registry), placed) << image << " under " << registry;
    }
}

TEST(ImageReference, WhatARegistryMakesInvalidIsSeen) {
    EXPECT_TRUE(is_image_reference(with_registry("app:v1", "https://reg.io:5000/")));
    EXPECT_FALSE(is_image_reference(with_registry("app:v1", "ftp://reg.io")));
    EXPECT_FALSE(is_image_reference(with_registry("app:v1", "reg.io/Upper")));
    EXPECT_FALSE(is_image_reference(with_registry("", "reg.io")));
}

}  // namespace
}  // namespace smw::kube
