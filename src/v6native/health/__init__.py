# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Whether translation works, and the only prober: DNS64 and doctor read what is found here.

`gateway` judges, `probe` asks, `report` is the file that tells the others.
"""
