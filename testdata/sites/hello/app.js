"use strict";

const line = document.getElementById("status");
line.textContent = "script ran";
line.classList.add("ready");
