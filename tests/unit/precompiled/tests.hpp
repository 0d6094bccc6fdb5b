// SPDX-License-Identifier: LGPL-2.1-or-later
// The headers that most tests include, precompiled.
#ifndef BERTH_TESTS_HPP  // `pragma once` in a main file is a warning
#define BERTH_TESTS_HPP

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "precompiled/product.hpp"

#endif
