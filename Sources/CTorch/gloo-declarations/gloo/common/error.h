// Empty: c10d includes it and our use of c10d needs nothing of it. See ../../README.md.
#pragma once
