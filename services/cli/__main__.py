"""The voxmesh command: what it takes. What it does is in the modules beside, imported when used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from services.cli.default_command import DefaultGroup
from services.cli.operating import cancel, dead_letters, topics
from services.cli.options import Broker, Json, end

app = typer.Typer(
    name="voxmesh",
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

subtitles = typer.Typer(
    cls=DefaultGroup, no_args_is_help=True, help="Write captions from a transcript, or check some."
)
app.add_typer(subtitles, name="subtitles")
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(topics, name="topics")
app.command()(cancel)

Sources = Annotated[
    list[str], typer.Argument(help="Files, http(s) addresses or video pages.", show_default=False)
]
Engines = Annotated[
    list[str],
    typer.Option(
        "--engines",
        "-e",
        metavar="STAGE=NAME[,NAME]",
        help="Force engines for a stage: transcribe, diarize, emotion-audio or emotion-text; "
        "'none' switches a stage off. Without it the best usable one is picked.",
        envvar="VOXMESH_ENGINES",
    ),
]
Language = Annotated[
    str | None, typer.Option(help="Language spoken, as a BCP 47 tag; found out when left out.")
]
MinSpeakers = Annotated[int | None, typer.Option(min=1, help="At least so many voices.")]
MaxSpeakers = Annotated[int | None, typer.Option(min=1, help="At most so many voices.")]
Channels = Annotated[
    Literal["mix", "split"], typer.Option(help="Mix all channels, or caption each by itself.")
]
Formats = Annotated[
    str,
    typer.Option(
        "--format", help="Files to write: vtt, srt, ass, ttml, scc, hls, txt, csv, tsv, json, md."
    ),
]
Profile = Annotated[
    str,
    typer.Option(
        help="House style: web, netflix, bbc, youtube, broadcast-608, or a .toml or .json file."
    ),
]
EmotionTold = Annotated[
    Literal["none", "brackets", "style", "both"],
    typer.Option("--emotion", help="How emotions are told in the captions."),
]
Karaoke = Annotated[bool, typer.Option(help="Time every word, in vtt, ass and hls.")]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Compute everything anew; else earlier results are reused.")
]
Deadline = Annotated[
    int | None,
    typer.Option(min=1, metavar="SECONDS", help="Caption with what there is by then."),
]
Playlist = Annotated[bool, typer.Option(help="Take every entry of a playlist page.")]
Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the captions.")
]
FileOut = Annotated[
    Path | None, typer.Option("--output", "-o", help="File to write; stdout when left out.")
]
EngineName = Annotated[str | None, typer.Option(help="Engine to use; else the best usable one.")]
CtmOrJson = Annotated[Literal["ctm", "json"], typer.Option("--format", help="NIST CTM or JSON.")]
RttmOrJson = Annotated[Literal["rttm", "json"], typer.Option("--format", help="NIST RTTM or JSON.")]
AudioFile = Annotated[Path, typer.Argument(help="A recording.", show_default=False)]


@app.command()
def run(
    sources: Sources,
    output: Output = Path("captions"),
    engines: Engines = [],  # noqa: B006 -- typer copies it
    language: Language = None,
    min_speakers: MinSpeakers = None,
    max_speakers: MaxSpeakers = None,
    channels: Channels = "mix",
    formats: Formats = "vtt,srt,json,md",
    profile: Profile = "web",
    emotion: EmotionTold = "both",
    karaoke: Karaoke = False,
    fresh: Fresh = False,
    deadline: Deadline = None,
    playlist: Playlist = False,
    state_dir: Annotated[
        Path | None, typer.Option(help="Folder for what is kept between runs.")
    ] = None,
    json: Json = False,
) -> None:
    """Caption recordings here and now.

    Runs the whole mesh in this process; nothing else has to be installed or running.
    """
    from services.cli import run as command
    from services.cli.request import job_options
    from services.cli.subtitles import subtitle_options

    def job() -> int:
        options = job_options(
            engines,
            language,
            min_speakers,
            max_speakers,
            channels,
            formats,
            captions=subtitle_options(profile, {"emotion": emotion, "karaoke": karaoke}),
            fresh=fresh,
            deadline_s=deadline,
        )
        return command.run(sources, options, output, state_dir, playlist=playlist, as_json=json)

    end(job)


@app.command()
def serve(
    services: Annotated[list[str], typer.Argument(help="Services to run, or 'all'.")],
    broker: Broker,
    health_port: Annotated[
        int | None, typer.Option(help="Port of /healthz, /readyz and /metrics; 0: a free one.")
    ] = None,
) -> None:
    """Run services against a broker."""
    from services.cli import serve as command

    end(lambda: command.serve(services, broker, health_port))


@app.command()
def submit(
    sources: Sources,
    broker: Broker,
    output: Output = Path("captions"),
    engines: Engines = [],  # noqa: B006 -- typer copies it
    language: Language = None,
    min_speakers: MinSpeakers = None,
    max_speakers: MaxSpeakers = None,
    channels: Channels = "mix",
    formats: Formats = "vtt,srt,json,md",
    profile: Profile = "web",
    emotion: EmotionTold = "both",
    karaoke: Karaoke = False,
    fresh: Fresh = False,
    deadline: Deadline = None,
    priority: Annotated[
        Literal["high", "normal", "low"], typer.Option(help="How soon it is wanted.")
    ] = "normal",
    wait: Annotated[bool, typer.Option(help="Wait for the captions and fetch them.")] = True,
    json: Json = False,
) -> None:
    """Ask a running mesh for captions."""
    from services.cli import submit as command
    from services.cli.request import job_options
    from services.cli.subtitles import subtitle_options

    def job() -> int:
        options = job_options(
            engines,
            language,
            min_speakers,
            max_speakers,
            channels,
            formats,
            captions=subtitle_options(profile, {"emotion": emotion, "karaoke": karaoke}),
            fresh=fresh,
            deadline_s=deadline,
        )
        return command.submit(
            sources, options, output, broker, priority=priority, wait=wait, as_json=json
        )

    end(job)


@app.command()
def watch(
    job: Annotated[str, typer.Argument(help="Id of the job, as submit prints it.")],
    broker: Broker,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Fetch the captions into this folder.")
    ] = None,
    json: Json = False,
) -> None:
    """Watch a job of a running mesh to its end."""
    from services.cli import submit as command

    end(lambda: command.watch(job, output, broker, as_json=json))


@app.command()
def doctor(
    broker: Annotated[
        str | None, typer.Option(help="Look at the mesh on this broker, too.")
    ] = None,
    json: Json = False,
) -> None:
    """Say what works here and what to do about the rest."""
    from services.cli import doctor as command

    end(lambda: command.doctor(broker, as_json=json))


@app.command()
def engines(json: Json = False) -> None:
    """List every engine: usable or not, why, and what to do."""
    from services.cli import doctor as command

    end(lambda: command.engines(as_json=json))


@app.command()
def schema(
    name: Annotated[
        str | None, typer.Argument(help="Record to print; all names when left out.")
    ] = None,
) -> None:
    """Print the JSON Schema of a record.

    The name 'asyncapi' prints the whole contract as an AsyncAPI document.
    """
    from services.cli import schema as command

    end(lambda: command.schema(name))


@app.command()
def transcribe(
    recording: AudioFile,
    engine: EngineName = None,
    language: Language = None,
    form: Annotated[
        Literal["ctm", "json"], typer.Option("--format", help="NIST CTM or JSON.")
    ] = "ctm",
    output: FileOut = None,
) -> None:
    """Hear the words of a recording.

    The transcribe stage alone.
    """
    from services.cli import stages as command

    end(lambda: command.transcribe(recording, engine, language, form, output))


@app.command()
def vote(
    hypotheses: Annotated[
        list[Path], typer.Argument(help="CTM files, one per engine.", show_default=False)
    ],
    weight: Annotated[
        list[str], typer.Option(metavar="ENGINE=NUMBER", help="Trust in an engine to begin with.")
    ] = [],  # noqa: B006 -- typer copies it
    output: FileOut = None,
) -> None:
    """Make one CTM of several engines' by voting.

    Time-aware ROVER: how far each engine is to be believed is learned from how they agree.
    """
    from services.cli import stages as command

    end(lambda: command.vote(hypotheses, weight, output))


@app.command()
def diarize(
    recording: AudioFile,
    engine: EngineName = None,
    min_speakers: MinSpeakers = None,
    max_speakers: MaxSpeakers = None,
    form: Annotated[
        Literal["rttm", "json"], typer.Option("--format", help="NIST RTTM or JSON.")
    ] = "rttm",
    output: FileOut = None,
) -> None:
    """Tell the voices of a recording apart.

    The diarize stage alone.
    """
    from services.cli import stages as command

    end(lambda: command.diarize(recording, engine, min_speakers, max_speakers, form, output))


@app.command()
def emotion(recording: AudioFile, engine: EngineName = None, output: FileOut = None) -> None:
    """Estimate emotion in a recording's voices.

    The audio emotion stage alone; writes JSON.
    """
    from services.cli import stages as command

    end(lambda: command.emotion(recording, engine, output))


@subtitles.command("write")
def write_subtitles(
    transcript: Annotated[Path, typer.Argument(help="A transcript.json.", show_default=False)],
    formats: Formats = "vtt,srt",
    profile: Profile = "web",
    output: Output = Path("captions"),
    emotion: Annotated[
        Literal["none", "brackets", "style", "both"],
        typer.Option(help="How emotions are told: by notes such as [angrily], by type, or both."),
    ] = "both",
    karaoke: Karaoke = False,
    drop_frame: Annotated[bool, typer.Option(help="Drop-frame time code, in scc.")] = True,
    hls_segment_s: Annotated[
        float, typer.Option("--hls-segment", help="Seconds of a segment, in hls.")
    ] = 6.0,
    hls_mpegts: Annotated[
        int, typer.Option(help="MPEG-2 timestamp of the recording's first instant, in hls.")
    ] = 0,
) -> None:
    """Write captions from a transcript.json.

    The subtitles stage alone. 'write' need not be said.
    """
    from services.cli import subtitles as command

    style = {
        "emotion": emotion,
        "karaoke": karaoke,
        "drop_frame": drop_frame,
        "hls_segment_ms": round(hls_segment_s * 1000),
        "hls_mpegts": hls_mpegts,
    }
    end(lambda: command.write(transcript, formats, output, profile, style))


@subtitles.command("check")
def check_subtitles(
    file: Annotated[
        Path, typer.Argument(help="A vtt, srt, ass, ttml or scc file.", show_default=False)
    ],
    profile: Profile = "web",
    language: Annotated[
        str | None, typer.Option(help="Language of the captions, as a BCP 47 tag.")
    ] = None,
    frame_rate: Annotated[
        str | None, typer.Option(help="Frames per second, such as 25 or 30000/1001.")
    ] = None,
    json: Json = False,
) -> None:
    """Tell what captions fall short of, with the time of each.

    Whoever made them. The exit code is 1 when there is anything.
    """
    from services.cli import subtitles as command

    end(lambda: command.check(file, profile, language, frame_rate, as_json=json))


@app.callback()
def voxmesh(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Captions that say who spoke, what, how they felt and when."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"voxmesh {installed('voxmesh')}")
        raise typer.Exit


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
