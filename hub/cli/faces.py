"""`sealway face`: how certificates of a type look."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from connectors.profile import read_bounded
from hub.cli.session import (
    PAGE_SIZE,
    JsonOption,
    ProfileOption,
    ReceiptOption,
    RequestIdOption,
    all_pages,
    connected,
    keep_receipt,
    next_step,
    request_id,
    save,
    show_list,
    show_one,
    shown_enum,
    shown_time,
    type_name,
    write,
    written,
)
from hub.cli.terminal import Document, Terminal, UsageError
from hub.seal.v1 import faces_pb2, faces_pb2_grpc

TEMPLATE_BYTES_MAX: Final = 1_048_576
TYPE_BYTES_MAX: Final = 262_144
VALUES_BYTES_MAX: Final = 65_536

_FORMATS: Final = {
    ".pdf": faces_pb2.PreviewFaceRequest.FORMAT_PDF,
    ".ofd": faces_pb2.PreviewFaceRequest.FORMAT_OFD,
    ".png": faces_pb2.PreviewFaceRequest.FORMAT_PNG,
}

app = typer.Typer(no_args_is_help=True, help="Face templates: how certificates look (照面样式).")

TemplateFile = Annotated[Path, typer.Argument(help="The template as one JSON object.")]


@app.command()
def lint(
    file: TemplateFile,
    certificate_type: Annotated[
        Path, typer.Option("--type", metavar="FILE", help="The type that it sets, as JSON.")
    ],
    font: Annotated[
        str, typer.Option(metavar="FILE", help="Font to measure with; empty: the system's.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Check a template against its type, without a hub: fields, boxes, overlaps, what overflows.

    Example: sealway face lint face.json --type business-licence.json
    """
    # Fonts and pictures take long to load, and no other command needs them.
    from hub.domain.certificate_type import from_json  # noqa: PLC0415
    from hub.seal.faces.fonts import FaceFonts  # noqa: PLC0415
    from hub.seal.faces.lint import lint as compare  # noqa: PLC0415
    from hub.seal.faces.template import parse_template  # noqa: PLC0415

    terminal = Terminal(as_json)
    template = parse_template(read_bounded(file, TEMPLATE_BYTES_MAX, "face template"))
    meant = from_json(read_bounded(certificate_type, TYPE_BYTES_MAX, "certificate type"))
    found = compare(template, meant, FaceFonts.open(font))
    found.check()
    _show_warnings(
        terminal,
        {"template": template.title, "type": meant.code, "type_version": meant.version},
        [(one.field, one.rule, one.en, one.zh) for one in found.warnings],
    )
    terminal.say(
        f"{template.title}: fits {meant.code}.", f"{template.title}：与 {meant.code} 相符。"
    )
    next_step(terminal, f"sealway face preview {file} --out preview.pdf")


@app.command()
def preview(
    template: Annotated[str, typer.Argument(help="A file, or the name of a stored template.")],
    out: Annotated[Path, typer.Option(help="Where to write it; ends in .pdf, .ofd or .png.")],
    values: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Values of fields as a JSON object.")
    ] = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Render a sample, marked 样张, of a file or of a stored template.

    Example: sealway face preview face.json --out preview.pdf
    """
    terminal = Terminal(as_json)
    wanted = _FORMATS.get(out.suffix.lower())
    if wanted is None:
        raise UsageError(
            f"--out {out}: end it in .pdf, .ofd or .png",
            f"--out {out}：应以 .pdf、.ofd 或 .png 结尾",
        )
    request = faces_pb2.PreviewFaceRequest(format=wanted)
    if template.startswith("certificateTypes/"):
        request.face_template = template
    else:
        request.template = read_bounded(Path(template), TEMPLATE_BYTES_MAX, "face template")
    if values is not None:
        request.values = read_bounded(values, VALUES_BYTES_MAX, "values")
    with connected(profile) as client:
        stub = faces_pb2_grpc.FaceServiceStub(client.channel)
        answer: faces_pb2.PreviewFaceResponse = client.call(stub.PreviewFace, request)
    save(out, answer.content, mode=0o644)
    _show_warnings(
        terminal,
        {"file": str(out), "media_type": answer.media_type, "bytes": len(answer.content)},
        [(one.field, one.rule, one.en, one.zh) for one in answer.warnings],
    )
    terminal.say(f"Sample written to {out}.", f"样张已写入 {out}。")
    next_step(terminal, "sealway face add FILE")


@app.command()
def add(
    file: TemplateFile,
    certificate_type: Annotated[
        str, typer.Option("--type", help="Type code, 21 characters, or name.")
    ],
    check: Annotated[bool, typer.Option("--check", help="Check only; nothing is written.")] = False,
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Store a template as a draft; nothing is set in it before somebody else approves it.

    Example: sealway face add face.json --type 11100000MB0143028R001
    """
    terminal = Terminal(as_json)
    request = faces_pb2.CreateFaceTemplateRequest(
        request_id=request_id(repeat),
        parent=type_name(certificate_type),
        template=read_bounded(file, TEMPLATE_BYTES_MAX, "face template"),
        validate_only=check,
    )
    with connected(profile) as client:
        stub = faces_pb2_grpc.FaceServiceStub(client.channel)
        answer: faces_pb2.CreateFaceTemplateResponse = write(
            terminal, client, stub.CreateFaceTemplate, request
        )
    draft = answer.face_template
    warnings = [(one.field, one.rule, one.en, one.zh) for one in answer.warnings]
    if check:
        _show_warnings(terminal, {"digest": draft.digest}, warnings)
        terminal.say("Correct; nothing written.", "正确，未写入。")
        return
    _show_warnings(terminal, written(draft, answer.receipt), warnings)
    terminal.say(f"Drafted {draft.name}.", f"已起草 {draft.name}。")
    keep_receipt(terminal, answer.receipt, receipt)
    next_step(terminal, f"sealway face approve {draft.name} --digest {draft.digest}")


@app.command()
def approve(
    template: Annotated[
        str, typer.Argument(help="certificateTypes/{type}/faceTemplates/{template}.")
    ],
    digest: Annotated[str, typer.Option(help="Digest of the template that you looked at.")],
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a draft in force. Whoever answers for the type does, and not who drafted it.

    Example: sealway face approve certificateTypes/11100000mb0143028r001/faceTemplates/v001
    --digest 3q2-7w…
    """
    terminal = Terminal(as_json)
    request = faces_pb2.ApproveFaceTemplateRequest(
        request_id=request_id(repeat), name=template, digest=digest
    )
    with connected(profile) as client:
        stub = faces_pb2_grpc.FaceServiceStub(client.channel)
        answer: faces_pb2.ApproveFaceTemplateResponse = write(
            terminal, client, stub.ApproveFaceTemplate, request
        )
    approved = answer.face_template
    terminal.document(written(approved, answer.receipt))
    terminal.say(f"Approved {approved.name}.", f"已批准 {approved.name}。")
    keep_receipt(terminal, answer.receipt, receipt)


@app.command("list")
def list_templates(
    certificate_type: Annotated[
        str, typer.Option("--type", help="Only those of a type, by code or name.")
    ] = "",
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List face templates by type and number.

    Example: sealway face list --type 11100000MB0143028R001
    """
    parent = type_name(certificate_type) if certificate_type else "certificateTypes/-"
    with connected(profile) as client:
        stub = faces_pb2_grpc.FaceServiceStub(client.channel)

        def page(token: str) -> tuple[list[faces_pb2.FaceTemplate], str]:
            answer: faces_pb2.ListFaceTemplatesResponse = client.call(
                stub.ListFaceTemplates,
                faces_pb2.ListFaceTemplatesRequest(
                    parent=parent, page_size=PAGE_SIZE, page_token=token
                ),
            )
            return list(answer.face_templates), answer.next_page_token

        found = all_pages(page)
    show_list(
        Terminal(as_json),
        "face_templates",
        found,
        (
            ("name", "名称"),
            ("type version", "类型版本"),
            ("title", "标题"),
            ("state", "状态"),
            ("since", "时间"),
        ),
        [
            (
                one.name,
                str(one.type_version),
                one.title,
                shown_enum(one, "state"),
                shown_time(one.approve_time if one.approver else one.create_time),
            )
            for one in found
        ],
    )


@app.command()
def show(
    template: Annotated[
        str, typer.Argument(help="certificateTypes/{type}/faceTemplates/{template}.")
    ],
    out: Annotated[Path | None, typer.Option(help="Write the template's bytes here.")] = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one face template, and write it to a file where one is named.

    Example: sealway face show certificateTypes/11100000mb0143028r001/faceTemplates/v001
    """
    terminal = Terminal(as_json)
    with connected(profile) as client:
        stub = faces_pb2_grpc.FaceServiceStub(client.channel)
        answer: faces_pb2.GetFaceTemplateResponse = client.call(
            stub.GetFaceTemplate, faces_pb2.GetFaceTemplateRequest(name=template)
        )
    found = answer.face_template
    if out is not None:
        save(out, found.template, mode=0o644)
        terminal.say(f"Template: {out}", f"模板：{out}")
    # The document as text: base64 says nothing to a program, and people are told its size.
    text = found.template.decode("utf-8", "replace")
    show_one(terminal, found, {"template": text if as_json else f"{len(found.template)} bytes"})
    next_step(terminal, f"sealway face preview {found.name} --out preview.pdf")


def _show_warnings(
    terminal: Terminal, members: dict[str, Document], warnings: list[tuple[str, str, str, str]]
) -> None:
    """One document with the warnings, and a line for people about each."""
    listed: list[Document] = [
        {"field": field, "rule": rule, "en": en, "zh": zh} for field, rule, en, zh in warnings
    ]
    terminal.document({**members, "warnings": listed})
    for field, _, en, zh in warnings:
        terminal.say(f"Note: {field}: {en}", f"注意：{field}：{zh}")
