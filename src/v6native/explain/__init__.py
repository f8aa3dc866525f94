# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What happens to one packet, step by step, and why: pure. The node's kernel and translators are asked through `Machine`.

question.py   what is asked, in words or as a captured packet → Question
pcap.py       packets out of capture files
walk.py       the packet's way through routes and translators, step by step
words.py      a step's sentences
summary.py    a packet in one line
"""
