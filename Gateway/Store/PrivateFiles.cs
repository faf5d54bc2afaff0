namespace Gateway.Store;

/// <summary>Files and folders that nobody but the gateway's user may read, from their first byte on.</summary>
internal static class PrivateFiles
{
    private const UnixFileMode File600 = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Folder700 = File600 | UnixFileMode.UserExecute;

    public static FileStreamOptions Options(FileMode mode, FileShare share)
    {
        var options = new FileStreamOptions
        {
            Mode = mode,
            Access = mode is FileMode.Append ? FileAccess.Write : FileAccess.ReadWrite,
            Share = share,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = File600;
        }

        return options;
    }

    /// <summary>Makes a file where there is none, before something else writes to it.</summary>
    public static void Make(string path)
    {
        if (!File.Exists(path))
        {
            new FileStream(path, Options(FileMode.OpenOrCreate, FileShare.ReadWrite)).Dispose();
        }
        else if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & ~File600) != UnixFileMode.None)
        {
            // Of a version that did not take care.
            File.SetUnixFileMode(path, File600);
        }
    }

    public static void MakeFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            return;
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, Folder700);
        }
    }

    public static void MakeFolderOf(string file) => MakeFolder(Path.GetDirectoryName(Path.GetFullPath(file))!);

    /// <summary>Why nothing can ever be kept in a folder; null when something may be.</summary>
    public static string? WhyNeverWritable(string folder)
    {
        var nearest = Nearest(folder);
        // A link may lead to a folder that this user may not look into, as systemd makes them for DynamicUser=.
        return File.Exists(nearest) && new FileInfo(nearest).LinkTarget is null
            ? $"{nearest} is a file, so the folder {folder} cannot be made" : null;
    }

    /// <summary>Whether whoever runs this may write into a folder, or make it. A file is there for a moment.</summary>
    public static bool IsWritable(string folder)
    {
        try
        {
            var options = Options(FileMode.CreateNew, FileShare.None);
            options.Options = FileOptions.DeleteOnClose;
            new FileStream(Path.Combine(Nearest(folder), Path.GetRandomFileName()), options).Dispose();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>The folder, or what there is of the way to it.</summary>
    private static string Nearest(string folder)
    {
        var nearest = Path.GetFullPath(folder);
        while (!Path.Exists(nearest) && Path.GetDirectoryName(nearest) is { } parent)
        {
            nearest = parent;
        }

        return nearest;
    }

    /// <summary>What is wrong with who may read a folder; null when nothing is, or it is not there.</summary>
    public static string? Complaint(string folder) =>
        !OperatingSystem.IsWindows() && Directory.Exists(folder) && (File.GetUnixFileMode(folder) & ~Folder700) is not UnixFileMode.None
            ? $"others on this machine may look into {folder}; close it with: chmod 700 {folder}"
            : null;
}
