// What most tests include, compiled once.
#ifndef BERTH_TESTS_HPP  // `pragma once` is not for a file that is compiled itself
#define BERTH_TESTS_HPP

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "precompiled/product.hpp"

#endif
