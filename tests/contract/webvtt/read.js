// Reads a JSON array of WebVTT files on standard input and writes what two parsers make of each.
"use strict";

const fs = require("fs");
const { WebVTTParser } = require("webvtt-parser");
const { WebVTT, VTTCue } = require("vtt.js");

// The parser's own table lacks the semicolons and leaves them in the text.
const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };

// The text of a cue without its tags, and the voice it is in.
function flatten(node, found = { text: "", voice: null, classes: [] }) {
  for (const child of node.children) {
    if (child.type === "text") {
      found.text += child.value;
    } else if (child.type !== "timestamp") {
      if (child.name === "v") found.voice = child.value;
      found.classes.push(...child.classes);
      flatten(child, found);
    }
  }
  return found;
}

function validate(file) {
  const { cues, errors, styles } = new WebVTTParser(ENTITIES).parse(file);
  return {
    errors: errors.map((error) => `line ${error.line}: ${error.message}`),
    styles,
    cues: cues.map((cue) => ({
      id: cue.id,
      start: Math.round(cue.startTime * 1000),
      end: Math.round(cue.endTime * 1000),
      line: cue.linePosition,
      ...flatten(cue.tree),
    })),
  };
}

// vtt.js is what Firefox and video.js read captions with.
function play(file) {
  const cues = [];
  const errors = [];
  const parser = new WebVTT.Parser({ VTTCue }, WebVTT.StringDecoder());
  parser.oncue = (cue) => cues.push(cue);
  parser.onparsingerror = (error) => errors.push(error.message);
  parser.parse(file);
  parser.flush();
  return {
    errors,
    cues: cues.map((cue) => ({
      id: cue.id,
      start: Math.round(cue.startTime * 1000),
      end: Math.round(cue.endTime * 1000),
      line: cue.line,
      text: cue.text,
    })),
  };
}

global.navigator = global.navigator || { userAgent: "node" };
const files = JSON.parse(fs.readFileSync(0, "utf8"));
process.stdout.write(
  JSON.stringify(files.map((file) => ({ validated: validate(file), played: play(file) }))),
);
