# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Whether packets may pass by the host's stack: `facts` is what of the operator's could want them, `judge` decides."""
