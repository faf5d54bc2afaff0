using System.Text;

namespace Gateway.Cli;

/// <summary>Puts what <c>gateway init</c> made into its place.</summary>
internal static class WrittenFiles
{
    /// <summary>Makes a link, or another one of it. A file that is no link may be somebody's only key, and stays.</summary>
    /// <returns>False where such a file is in the way.</returns>
    public static bool Link(string link, string target)
    {
        if (link == Path.GetFullPath(target))
        {
            return true;
        }

        if (Path.Exists(link) && new FileInfo(link).LinkTarget is null)
        {
            return false;
        }

        File.Delete(link);
        File.CreateSymbolicLink(link, target);
        Console.WriteLine($"linked {link} to {target}");
        return true;
    }

    /// <summary>Writes all files, or none where one is there already and may not be written over.</summary>
    /// <returns>Whether all were written.</returns>
    public static bool Write(IReadOnlyList<(string Name, string Text, bool IsSecret)> files, bool isForced)
    {
        if (!isForced && files.FirstOrDefault(one => File.Exists(one.Name)) is { Name: not null } there)
        {
            Output.Fail($"{there.Name} is there already; --force writes over it");
            return false;
        }

        foreach (var (name, text, isSecret) in files)
        {
            try
            {
                WriteFile(name, text, isSecret);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Output.Fail($"{name} cannot be written: {e.Message}");
                return false;
            }

            Console.WriteLine($"wrote {name}");
        }

        return true;
    }

    private static void WriteFile(string path, string text, bool isSecret)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (isSecret && !OperatingSystem.IsWindows())
        {
            File.Delete(path);
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(path, options);
        file.Write(Encoding.UTF8.GetBytes(text));
    }
}
