using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace Release;

/// <summary>A package of Debian (deb(5)): an ar archive of a version, the control files and the data.</summary>
internal static class DebianPackage
{
    /// <param name="architecture">As Debian names it: amd64 or arm64.</param>
    /// <param name="program">The self-contained gateway.</param>
    /// <param name="documents">What goes to /usr/share/doc/headtower.</param>
    public static byte[] Pack(
        string version, string architecture, IReadOnlyList<Item> program, IReadOnlyList<Item> documents, string root, DateTimeOffset time)
    {
        var units = Path.Combine(root, "deploy", "systemd");
        Item[] data =
        [
            .. program.Select(one => one with { Name = "./usr/lib/headtower/" + one.Name }),
            new Item("./usr/bin/gateway", []) { LinkTo = "../lib/headtower/gateway" },
            Item.OfFile("./lib/systemd/system/headtower.service", Path.Combine(units, "headtower.service")),
            Item.OfFile("./lib/systemd/system/headtower.socket", Path.Combine(units, "headtower.socket")),
            Item.OfFile("./etc/headtower/headtower.yaml", Path.Combine(units, "headtower.yaml")),
            Text("./usr/share/doc/headtower/copyright", Copyright(root)),
            new Item("./usr/share/doc/headtower/changelog.gz", Zipped(File.ReadAllBytes(Path.Combine(root, "CHANGELOG.md")))),
            .. documents.Select(one => one with { Name = "./usr/share/doc/headtower/" + one.Name }),
        ];
        var sums = string.Concat(
            data.Where(one => one.LinkTo is null).OrderBy(one => one.Name, StringComparer.Ordinal)
                .Select(one => $"{Md5(one.Bytes)}  {one.Name[2..]}\n"));
        Item[] control =
        [
            Text("./control", $"""
                Package: headtower
                Version: {version}
                Architecture: {architecture}
                Maintainer: The Headtower developers <headtower@users.noreply.github.com>
                Installed-Size: {data.Sum(one => one.Bytes.LongLength) / 1024}
                Depends: libc6, libstdc++6, zlib1g, libssl3 | libssl3t64, ca-certificates
                Section: net
                Priority: optional
                Description: authenticating gateway in front of Headscale
                 People and programs reach Headscale's API with their own identity and
                 their role's rights; the API key stays on the server; Tailscale clients
                 pass through untouched.

                """),
            Text("./conffiles", "/etc/headtower/headtower.yaml\n"),
            Text("./md5sums", sums),
            Text("./postinst", """
                #!/bin/sh
                set -e
                if [ "$1" = configure ] && [ -d /run/systemd/system ]; then
                  systemctl daemon-reload
                  if [ -n "$2" ]; then systemctl try-restart headtower.socket headtower.service || true; fi
                fi
                if [ "$1" = configure ] && [ -z "$2" ]; then
                  echo "headtower: 'gateway init --systemd --force' writes /etc/headtower; or set the addresses in"
                  echo "/etc/headtower/headtower.yaml (where Headscale is on another machine, see the unit for its API key),"
                  echo "then: systemctl enable --now headtower.socket"
                fi

                """) with { IsProgram = true },
            Text("./postrm", """
                #!/bin/sh
                set -e
                if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
                if [ "$1" = purge ]; then
                  rm -rf /etc/headtower/headtower.yaml.dpkg-* /etc/systemd/system/headtower.service.d /etc/systemd/system/headtower.socket.d
                  echo "headtower: people, tokens and the audit stay in /var/lib/private/headtower until you remove it"
                fi

                """) with { IsProgram = true },
            Text("./prerm", """
                #!/bin/sh
                set -e
                if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
                  systemctl disable --now headtower.socket headtower.service || true
                fi

                """) with { IsProgram = true },
        ];

        using var package = new MemoryStream();
        package.Write("!<arch>\n"u8);
        foreach (var (name, bytes) in new[] { ("debian-binary", "2.0\n"u8.ToArray()), ("control.tar.gz", TarGz.Pack(control, time)),
            ("data.tar.gz", TarGz.Pack(data, time)) })
        {
            package.Write(
                Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
                    $"{name,-16}{time.ToUnixTimeSeconds(),-12}{0,-6}{0,-6}{"100644",-8}{bytes.Length,-10}`\n")));
            package.Write(bytes);
            if (bytes.Length % 2 == 1)
            {
                package.Write("\n"u8);
            }
        }

        return package.ToArray();
    }

    /// <summary>In Debian's machine-readable form (copyright-format 1.0).</summary>
    private static string Copyright(string root)
    {
        var license = File.ReadAllLines(Path.Combine(root, "LICENSE"));
        var holder = license.First(one => one.StartsWith("Copyright ", StringComparison.Ordinal));
        var terms = license.SkipWhile(one => !one.StartsWith("Permission ", StringComparison.Ordinal))
            .Select(one => one.Length == 0 ? " ." : " " + one);
        return "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: headtower\n\n"
            + $"Files: *\nCopyright: {holder["Copyright ".Length..]}\nLicense: MIT\n{string.Join('\n', terms)}\n";
    }

    private static byte[] Zipped(byte[] bytes)
    {
        using var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.SmallestSize))
        {
            gzip.Write(bytes);
        }

        return zipped.ToArray();
    }

    private static Item Text(string name, string text) => new(name, Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\n")));

    private static string Md5(byte[] bytes)
    {
#pragma warning disable CA5351 // dpkg's md5sums tell damage, not malice; SHA256SUMS and the archive's signature tell that.
        return Convert.ToHexStringLower(MD5.HashData(bytes));
#pragma warning restore CA5351
    }
}
