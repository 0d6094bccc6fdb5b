// SPDX-License-Identifier: LGPL-2.1-or-later
// The functions of libcurl that berth calls. It is loaded with the first request, since most verbs send none.
#pragma once

#include <curl/curl.h>

#include "base/late_library.hpp"

namespace berth::source {

/// See libcurl's manual for each; the names are its own without `curl_`.
struct LibCurl {
  base::LateLibrary library{"libcurl.so.4"};
  decltype(&::curl_global_init) global_init = library["curl_global_init"];
  decltype(&::curl_free) free = library["curl_free"];
  decltype(&::curl_easy_init) easy_init = library["curl_easy_init"];
  decltype(&::curl_easy_cleanup) easy_cleanup = library["curl_easy_cleanup"];
  decltype(&::curl_easy_reset) easy_reset = library["curl_easy_reset"];
  decltype(&::curl_easy_setopt) easy_setopt = library["curl_easy_setopt"];
  decltype(&::curl_easy_getinfo) easy_getinfo = library["curl_easy_getinfo"];
  decltype(&::curl_easy_pause) easy_pause = library["curl_easy_pause"];
  decltype(&::curl_easy_strerror) easy_strerror = library["curl_easy_strerror"];
  decltype(&::curl_multi_init) multi_init = library["curl_multi_init"];
  decltype(&::curl_multi_cleanup) multi_cleanup = library["curl_multi_cleanup"];
  decltype(&::curl_multi_add_handle) multi_add_handle = library["curl_multi_add_handle"];
  decltype(&::curl_multi_remove_handle) multi_remove_handle = library["curl_multi_remove_handle"];
  decltype(&::curl_multi_perform) multi_perform = library["curl_multi_perform"];
  decltype(&::curl_multi_poll) multi_poll = library["curl_multi_poll"];
  decltype(&::curl_multi_info_read) multi_info_read = library["curl_multi_info_read"];
  decltype(&::curl_multi_strerror) multi_strerror = library["curl_multi_strerror"];
  decltype(&::curl_slist_append) slist_append = library["curl_slist_append"];
  decltype(&::curl_slist_free_all) slist_free_all = library["curl_slist_free_all"];
  decltype(&::curl_url) url = library["curl_url"];
  decltype(&::curl_url_cleanup) url_cleanup = library["curl_url_cleanup"];
  decltype(&::curl_url_get) url_get = library["curl_url_get"];
  decltype(&::curl_url_set) url_set = library["curl_url_set"];
  decltype(&::curl_url_strerror) url_strerror = library["curl_url_strerror"];
};

/// Loads it, once. @throws Error(failed) when libcurl is not installed
const LibCurl& libcurl();

}  // namespace berth::source
